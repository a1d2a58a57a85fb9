using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>delivery.dns</c>: whom the exchangers of a domain are asked of.</summary>
/// <param name="Servers">Empty: those of resolv.conf.</param>
internal sealed record DnsOptions(ImmutableArray<IPEndPoint> Servers, bool Validating)
{
    public static DnsOptions Read(Section section)
    {
        var options = new DnsOptions(
            section.List("servers", Kinds.DnsServer, [], "those of `/etc/resolv.conf`", "Recursive resolvers, asked in this order; port 53 unless one is written. Left out: those of `/etc/resolv.conf`, which is read again when it changes."),
            section.Value("validating", Kinds.Word(("true", true), ("false", false)), fallback: false, "false", "`true`: these servers validate DNSSEC and nobody stands in between, so their word that an answer is authentic counts. Servers on loopback are believed without it. No delivery rests on it so far."));
        if (options.Validating && options.Servers.IsEmpty)
            section.Report("validating", "whose word counts is not said", "'servers' beside it; one on loopback is believed anyway");
        return options;
    }
}
