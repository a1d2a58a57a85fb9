using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Web.Doors;

namespace Postern.Configuration;

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

    /// <param name="tls">What is shown in handshakes, where some is.</param>
    public WebOptions ToOptions(TlsOptions? tls) => new(Listen)
    {
        Tls = IsTls ? tls : null,
        Hosts = [.. Hosts.Select(static host => host.Text)],
        Proxies = Proxies,
    };
}
