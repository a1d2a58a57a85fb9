using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Postern.Web.Entrance;
using Postern.Web.Parts;
using Postern.Web.Tests.Access;

namespace Postern.Web.Tests.Entrance;

/// <summary>The addresses that answer strangers, on a loopback port, and one that says who calls.</summary>
internal sealed class EntranceHost : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly PageRenderer renderer = new();
    private readonly HttpClient client = new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });

    private EntranceHost(WebApplication application) => this.application = application;

    public AccessRig Rig { get; } = new();

    public string Url => application.Urls.First();

    public static async Task<EntranceHost> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var host = new EntranceHost(builder.Build());
        var access = host.Rig.Access;
        new EntranceEndpoints(access, host.Rig.Log, "mail.example.org", host.renderer).Map(host.application);
        host.application.MapGet("/who", async context =>
        {
            var caller = await access.FindCallerAsync(context);
            await context.Response.WriteAsync(caller.IsNobody ? $"nobody at {caller.Budget}" : caller.Name);
        });
        await host.application.StartAsync(AccessRig.Ct);
        return host;
    }

    public async Task<Reply> GetAsync(string path, params (string Name, string Value)[] headers) => await SendAsync(HttpMethod.Get, path, content: null, headers);

    /// <summary>As a browser sends a form of one of our own pages.</summary>
    public Task<Reply> PostFormAsync(string path, (string Name, string Value)[] fields, params (string Name, string Value)[] headers) => SendAsync(
        HttpMethod.Post, path, new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))), [("Sec-Fetch-Site", "same-origin"), .. headers]);

    public Task<Reply> PostJsonAsync(string path, object body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, JsonContent.Create(body), [("Sec-Fetch-Site", "same-origin"), .. headers]);

    public async Task<Reply> SendAsync(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, Url + path) { Content = content };
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        using var answer = await client.SendAsync(request, AccessRig.Ct);
        return new Reply(
            answer.StatusCode,
            await answer.Content.ReadAsStringAsync(AccessRig.Ct),
            answer.Headers.Location?.ToString(),
            answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.Single() : null,
            answer);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await application.DisposeAsync();
        await renderer.DisposeAsync();
        Rig.Dispose();
    }

    internal sealed record Reply(HttpStatusCode Status, string Body, string? Location, string? SetCookie, HttpResponseMessage Answer)
    {
        /// <summary>The value of the cookie of a session.</summary>
        public string Cookie => SetCookie!.Split(';')[0]["postern-local=".Length..];
    }
}
