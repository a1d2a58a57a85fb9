using System.Collections.Frozen;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Postern.Relay.Runtime.Instruments;
using Postern.Web.Health;

namespace Postern.Web.Metrics;

/// <summary>
/// What is answered on the listener for metrics: <c>GET /metrics</c>, <c>/livez</c>, <c>/readyz</c>, <c>/startupz</c>, and nothing else. A
/// host by a name that is not known gets 421: a page in somebody's browser may have had its name lead here.
/// </summary>
/// <param name="health">How the relay is now.</param>
internal sealed class MetricsApplication(RequestDelegate metrics, Func<RelayHealth> health, IEnumerable<string> hosts)
    : IHttpApplication<HttpContext>
{
    private readonly FrozenSet<string> hosts = hosts.Append("localhost").ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.XContentTypeOptions = "nosniff";
        var isHead = HttpMethods.IsHead(request.Method);
        if (!IsOurs(request.Host))
            response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        else if (!isHead && !HttpMethods.IsGet(request.Method))
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        else if (request.Path == "/metrics")
            await metrics(context);
        else if (HealthPage.At(request.Path.Value ?? string.Empty, health()) is { } answer)
            await answer.WriteToAsync(response, hasBody: !isHead, context.RequestAborted);
        else
            response.StatusCode = StatusCodes.Status404NotFound;
    }

    /// <summary>Nobody can have an address lead elsewhere.</summary>
    private bool IsOurs(HostString host) =>
        host.HasValue && (IPAddress.TryParse(host.Host.Trim('[', ']'), out _) || hosts.Contains(host.Host));
}
