using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Postern.Web.Parts;
using Postern.Web.Tests.Pages;

namespace Postern.Web.Tests.Browser;

/// <summary>The pages over sample data, on a loopback port, with the headers that the console sends.</summary>
internal sealed class ConsoleHost : IAsyncDisposable
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types console";

    private readonly WebApplication application;
    private readonly PageRenderer renderer = new();

    private ConsoleHost(WebApplication application) => this.application = application;

    public string Url => application.Urls.First();

    /// <param name="say">What becomes of each text that can come from elsewhere.</param>
    public static async Task<ConsoleHost> StartAsync(Func<string, string>? say = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var host = new ConsoleHost(builder.Build());
        host.Map(say ?? (static text => text));
        await host.application.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        await renderer.DisposeAsync();
    }

    private void Map(Func<string, string> say)
    {
        application.Use(static (context, next) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        });
        application.MapGet(Asset.Folder + "{name}", static (string name, HttpContext context) =>
        {
            if (AssetFiles.Find(name) is not { } asset)
                return Results.NotFound();
            var (body, encoding) = asset.For(context.Request.Headers.AcceptEncoding);
            context.Response.Headers.ContentEncoding = encoding;
            context.Response.Headers.CacheControl = Asset.CacheControl;
            return Results.Bytes(body, asset.ContentType);
        });
        foreach (var sample in SamplePages.Of(say))
            application.MapGet($"/sample/{sample.Name}", context => WriteAsync(context, sample));
        foreach (var (path, name) in (ReadOnlySpan<(string, string)>)
        [
            ("/", "overview-full"), ("/messages", "messages-full"), ("/messages/{id}", "message-full"), ("/queue", "queue-full"), ("/explain", "explain-full"),
        ])
        {
            var (page, asking) = (Sample(say, name), name == "queue-full" ? Sample(say, "queue-ask") : null);
            application.MapGet(path, context => WriteAsync(context, asking is not null && context.Request.Query.ContainsKey("ask") ? asking : page));
        }
    }

    private static SamplePage Sample(Func<string, string> say, string name) => SamplePages.Of(say).Single(page => page.Name == name);

    private async Task WriteAsync(HttpContext context, SamplePage sample)
    {
        var html = await sample.RenderAsync(renderer, frame => frame with { Preferences = Preferences.Parse(context.Request.Cookies[Preferences.Cookie]) });
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(html, context.RequestAborted);
    }
}
