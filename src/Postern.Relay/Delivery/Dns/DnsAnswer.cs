using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Delivery.Dns;

/// <summary>What a question came to. <paramref name="Records"/> are of the asked type, at the end of any chain of aliases.</summary>
internal sealed record DnsAnswer(DnsStatus Status, ImmutableArray<DnsRecord> Records, TimeSpan Ttl, string Detail)
{
    /// <summary>Proven by DNSSEC, by the word of a resolver that is believed.</summary>
    public bool IsAuthentic { get; init; }

    public static DnsAnswer Unavailable(string detail) => new(DnsStatus.Unavailable, [], TimeSpan.Zero, detail);
}

internal enum DnsStatus
{
    Found,

    /// <summary>The name exists, records of this type do not.</summary>
    NoData,

    NoSuchDomain,

    /// <summary>No resolver gave an answer that can be used.</summary>
    Unavailable,
}

/// <summary>One answer record. Names are lower case without the final dot; octets that no host name holds read as <c>?</c>.</summary>
internal abstract record DnsRecord(string Owner, TimeSpan Ttl)
{
    public sealed record Address(string Owner, TimeSpan Ttl, IPAddress Value) : DnsRecord(Owner, Ttl);

    /// <param name="Exchange">Empty for the null MX (RFC 7505).</param>
    public sealed record Mx(string Owner, TimeSpan Ttl, int Preference, string Exchange) : DnsRecord(Owner, Ttl);

    public sealed record Cname(string Owner, TimeSpan Ttl, string Target) : DnsRecord(Owner, Ttl);
}

/// <summary>The record types that mail delivery reads (RFC 1035 §3.2.2, RFC 3596).</summary>
internal enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Mx = 15,
    Aaaa = 28,
}
