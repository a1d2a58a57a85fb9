using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Doors;
using Postern.Web.Entrance;
using Postern.Web.Pages;
using Postern.Web.Parts;
using Postern.Web.Traffic;

namespace Postern.Web;

/// <summary>What people see: the pages, and the entrance to them. Behind the door of the network alone.</summary>
/// <param name="traffic">For the bars of the overview.</param>
/// <param name="hostname">As authenticators show it.</param>
internal sealed class WebConsole(ServedRelay server, WebAccess access, MinuteCounts traffic, string hostname) : IAsyncDisposable
{
    private readonly PageRenderer renderer = new();
    private readonly FormTokens tokens = new();

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var pages = new PageRoutes(WebRoutes.All, renderer, traffic);
        var door = new PageDoor(
            access.FindCallerAsync,
            (context, _, form) => tokens.WhyNot(context, form[FormTokens.Field]),
            (context, _) => tokens.Of(context) is { } token ? new FormToken(FormTokens.Field, token) : null);
        PageEndpoints.Map(
            endpoints,
            pages,
            context => new PageExchange(context, door, server, pages, context.Features.GetRequiredFeature<HttpExchange>().Id));
        new EntranceEndpoints(access, server.Audit, hostname, renderer).Map(endpoints);
    }

    /// <summary>Until somebody can let others in, all pages lead to the one that says how.</summary>
    public async ValueTask<bool> LeadsAwayAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<PageRoute>() is null || await access.HasOwnerAsync(context.RequestAborted))
            return false;
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/setup";
        context.Response.Headers.CacheControl = "no-store";
        return true;
    }

    public ValueTask DisposeAsync() => renderer.DisposeAsync();
}
