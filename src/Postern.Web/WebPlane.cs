using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Postern.Web.Calls;
using Postern.Web.Doors;
using Route = Postern.Web.Calls.Route;

namespace Postern.Web;

/// <summary>
/// The table of routes as a request meets it, whichever door it comes by. Every endpoint is a line of <see cref="WebRoutes"/>: what is none
/// is refused, and who may is asked by the endpoint that was found, never by the text of the path.
/// </summary>
internal sealed class WebPlane : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly RequestDelegate pipeline;
    private readonly ServedRelay server;
    private readonly WebConsole? console;

    /// <param name="console">Its own from here on; null where there are no pages.</param>
    public WebPlane(ServedRelay server, WebConsole? console = null)
    {
        this.server = server;
        this.console = console;
        var listener = new DiagnosticListener("Microsoft.AspNetCore");
        services = new ServiceCollection()
            .AddLogging()
            .AddRouting()
            .AddSingleton(listener)
            .AddSingleton<DiagnosticSource>(listener)
            .BuildServiceProvider();
        var builder = new ApplicationBuilder(services);
        builder.UseRouting();
        builder.Use(PassAsync);
        builder.UseEndpoints(Map);
        builder.Run(NothingAsync);
        pipeline = builder.Build();
    }

    /// <summary>Every endpoint there is.</summary>
    public IReadOnlyList<Endpoint> Endpoints => services.GetRequiredService<EndpointDataSource>().Endpoints;

    /// <summary>Answers what comes by a door.</summary>
    public IHttpApplication<HttpContext> Through(Door door) => new Application(this, door);

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        if (console is not null)
            await console.DisposeAsync();
    }

    private static HttpExchange Of(HttpContext context) => context.Features.GetRequiredFeature<HttpExchange>();

    private static Task NothingAsync(HttpContext context) =>
        Of(context).WriteAsync(Answer.No(Problems.NoRoute, $"There is nothing at {context.Request.Path}."));

    /// <summary>What a word in an answer means: the same for everybody.</summary>
    private static Task TellProblemAsync(HttpContext context)
    {
        if (Problems.Find(context.Request.RouteValues["word"]?.ToString() ?? string.Empty) is not { } problem)
            return NothingAsync(context);
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"{problem.Title}\n\n{problem.Meaning}\n", context.RequestAborted);
    }

    private async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        if (console is null || !await console.LeadsAwayAsync(context))
            await next(context);
    }

    private void Map(IEndpointRouteBuilder endpoints)
    {
        console?.Map(endpoints);
        endpoints.MapMethods($"{ProblemType.Path}{{word}}", ["GET"], TellProblemAsync);
        foreach (var route in WebRoutes.All)
            endpoints.MapMethods(RoutePatternFactory.Parse(Route.Base + route.Template).RawText!, [route.Method], context =>
                Of(context).AnswerAsync(route)).WithMetadata(route);
    }

    private async Task AnswerAsync(HttpContext context, Door door)
    {
        var exchange = new HttpExchange(context, door, server, $"req_{RandomNumberGenerator.GetHexString(12, lowercase: true)}");
        context.Features.Set(exchange);
        door.Prepare(context);
        try
        {
            if (door.WhyNot(context) is { } refusal)
                await exchange.WriteAsync(refusal);
            else
                await pipeline(context);
            // Where the address is right and the method is not, routing answers with Allow and no words.
            if (context.Response is { StatusCode: StatusCodes.Status405MethodNotAllowed, HasStarted: false })
                await exchange.WriteAsync(Answer.No(Problems.WrongMethod, $"Allow: {context.Response.Headers.Allow}"));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went away.
        }
    }

    private sealed class Application(WebPlane plane, Door door) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures)
        {
            ServiceScopeFactory = plane.services.GetRequiredService<IServiceScopeFactory>(),
        };

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public Task ProcessRequestAsync(HttpContext context) => plane.AnswerAsync(context, door);
    }
}
