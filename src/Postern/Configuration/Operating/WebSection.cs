using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Configuration.Reading;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Web.Doors;

namespace Postern.Configuration.Operating;

/// <summary><c>web</c>: where the console and the API are.</summary>
/// <param name="Listen">Empty for nowhere.</param>
/// <param name="IsTls">The certificates of <c>tls</c> are shown.</param>
internal sealed record WebSection(
    ImmutableArray<IPEndPoint> Listen, bool IsTls, ImmutableArray<Domain> Hosts, ImmutableArray<IPNetwork> Proxies)
{
    public static WebSection Read(Section section)
    {
        var read = new WebSection(
            section.List(
                "listen",
                Kinds.Endpoint,
                [],
                "nowhere",
                "`[\"127.0.0.1:2580\"]`: the console and the API are there (see operators.md). Where it is not this machine's loopback, it "
                    + "needs `tls`, or a proxy that is named."),
            section.Value(
                "tls",
                Kinds.Word(("none", false), ("implicit", true)),
                fallback: false,
                "none",
                "`implicit`: HTTPS, with the certificates of `tls`, followed when they are renewed."),
            section.List(
                "hosts",
                Kinds.DomainName,
                [],
                "none",
                "Names by which browsers may ask for it, beside `localhost` and the addresses of the loopback. Others get 421."),
            section.List(
                "proxies",
                Kinds.Network,
                [],
                "none",
                "Whose `X-Forwarded-For`, `-Proto` and `-Host` count: the rightmost address that is no proxy is the client."));
        if (!read.IsTls && read.Proxies.IsEmpty && read.Listen.FirstOrDefault(static at => !IPAddress.IsLoopback(at.Address)) is { } open)
            section.Report(
                "listen",
                $"{open} is not only this machine's: passwords and keys would cross the network in clear",
                "tls: implicit, or the proxy that is in front named in proxies");
        return read;
    }

    /// <summary>Where people find the pages, for links; without a slash at the end. Null where there are none.</summary>
    /// <param name="hostname">The server's, for a listener on all addresses.</param>
    public string? AddressFor(string hostname)
    {
        if (Listen.IsEmpty)
            return null;
        var at = Listen[0];
        var host = Hosts is [var first, ..] ? first.Text
            : at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any) ? hostname
            : at.Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{at.Address}]"
            : at.Address.ToString();
        // Whoever names a proxy has it speak TLS at the usual port.
        if (!Proxies.IsEmpty && !IsTls)
            return $"https://{host}";
        var port = at.Port == (IsTls ? 443 : 80) ? string.Empty : string.Create(CultureInfo.InvariantCulture, $":{at.Port}");
        return $"{(IsTls ? "https" : "http")}://{host}{port}";
    }

    /// <param name="tls">What is shown in handshakes, where some is.</param>
    public WebOptions ToOptions(TlsOptions? tls) => new(Listen)
    {
        Tls = IsTls ? tls : null,
        Hosts = [.. Hosts.Select(static host => host.Text)],
        Proxies = Proxies,
    };
}
