using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>The pages and their files as endpoints. Each carries its row, so that a test can ask who may see it.</summary>
internal static class PageEndpoints
{
    /// <param name="exchange">What answers a request.</param>
    public static void Map(IEndpointRouteBuilder endpoints, PageRoutes pages, Func<HttpContext, PageExchange> exchange)
    {
        foreach (var route in pages.All)
            endpoints.MapMethods(route.Template, [route.Method], context => exchange(context).AnswerAsync(route)).WithMetadata(route);
        endpoints.MapGet(Asset.Folder + "{name}", WriteAsync);
    }

    /// <summary>Anybody may have these: they are the same for all, and in every copy of this program.</summary>
    private static Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        if (AssetFiles.Find(context.Request.RouteValues["name"]?.ToString() ?? string.Empty) is not { } asset)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        var (body, encoding) = asset.For(context.Request.Headers.AcceptEncoding);
        response.ContentType = asset.ContentType;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = Asset.CacheControl;
        response.Headers.Vary = "Accept-Encoding";
        if (encoding is not null)
            response.Headers.ContentEncoding = encoding;
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
