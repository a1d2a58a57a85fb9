using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Dns;

/// <summary>What a question came to. <paramref name="Records"/> are of the asked type, at the end of any chain of aliases.</summary>
internal sealed record DnsAnswer(DnsStatus Status, ImmutableArray<DnsRecord> Records, TimeSpan Ttl, string Detail)
{
    /// <summary>Proven by DNSSEC, by the word of a resolver that is believed.</summary>
    public bool IsAuthentic { get; init; }

    public static DnsAnswer Unavailable(string detail) => new(DnsStatus.Unavailable, [], TimeSpan.Zero, detail);
}
