using System.Net;
using Microsoft.AspNetCore.Http;
using Postern.Relay.Audit.Events;
using Postern.Web.Access;
using Postern.Web.Calls;

namespace Postern.Web.Doors;

/// <summary>
/// HTTP over the network: for programs with a key, and people with a session. Which names it goes by is asked before anything else, also
/// on loopback: a page of another site that has its own name resolve to this machine is not heard.
/// </summary>
internal sealed class WebDoor(WebOptions options, WebAccess access) : Door, IDisposable
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
            + "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types console";

    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    private readonly CallBudgets budgets = new();

    public override CallBudgets? Budgets => budgets;

    public override void Prepare(HttpContext context)
    {
        FollowProxy(context);
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (context.Request.IsHttps)
            headers.StrictTransportSecurity = "max-age=31536000";
    }

    public override Answer? WhyNot(HttpContext context)
    {
        var host = context.Request.Host.Host;
        return Loopback.Contains(host, StringComparer.OrdinalIgnoreCase) || options.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase)
            ? null
            : Answer.No(Problems.WrongHost, "This server does not go by that name.", "Add the name to web.hosts in postern.yaml.");
    }

    public override ValueTask<Caller> FindCallerAsync(HttpContext context) => access.FindCallerAsync(context);

    /// <summary>A browser sends its cookie wherever a page asks it to; what a program sends with its key it meant.</summary>
    public override Answer? WhyNot(HttpContext context, Route route, Caller caller) =>
        caller.Door == AdminDoor.Console && route.Method != "GET" && !OwnOrigin.IsOf(context.Request)
            ? Answer.No(Problems.ForeignOrigin, "The call does not come from a page of this server.")
            : null;

    public void Dispose() => budgets.Dispose();

    /// <summary>
    /// The rightmost address that is no proxy of ours is the client; what stands to the left of it anybody can have written. Scheme and
    /// host count from the proxy that is next to us alone.
    /// </summary>
    private void FollowProxy(HttpContext context)
    {
        var (connection, request) = (context.Connection, context.Request);
        if (options.Proxies.IsEmpty || !IsProxy(connection.RemoteIpAddress))
            return;
        var named = string.Join(',', request.Headers["X-Forwarded-For"].AsEnumerable()).Split(',', StringSplitOptions.TrimEntries);
        for (var i = named.Length - 1; i >= 0 && IPAddress.TryParse(named[i], out var address); i--)
        {
            connection.RemoteIpAddress = address;
            if (!IsProxy(address))
                break;
        }

        if (request.Headers["X-Forwarded-Proto"] is [("https" or "http") and { } scheme])
            request.Scheme = scheme;
        if (request.Headers["X-Forwarded-Host"] is [{ Length: > 0 } host])
            request.Host = new HostString(host);
    }

    private bool IsProxy(IPAddress? address) =>
        address is not null
        && options.Proxies.Any(network => network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address));
}
