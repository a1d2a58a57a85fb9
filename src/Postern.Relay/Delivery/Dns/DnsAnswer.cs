using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Delivery.Dns;

/// <summary>What a question came to. <paramref name="Records"/> are of the asked type, at the end of any chain of aliases.</summary>
internal sealed record DnsAnswer(DnsStatus Status, ImmutableArray<DnsRecord> Records, TimeSpan Ttl, string Detail)
{
    /// <summary>
    /// Proven by DNSSEC, by the word of a resolver that is believed: the records, or that there are none, and every alias on the way.
    /// </summary>
    public bool IsAuthentic { get; init; }

    /// <summary>Where the aliases ended; the name that was asked for where it is none. Empty where nothing was answered.</summary>
    public string CanonicalName { get; init; } = string.Empty;

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

    public sealed record Ptr(string Owner, TimeSpan Ttl, string Target) : DnsRecord(Owner, Ttl);

    /// <param name="Text">
    /// The strings of the record, joined without anything in between as all of mail joins them; each octet is the character of its number.
    /// </param>
    public sealed record Txt(string Owner, TimeSpan Ttl, string Text) : DnsRecord(Owner, Ttl);

    /// <summary>A host and port of a service (RFC 2782).</summary>
    /// <param name="Target">Empty where the service is decidedly not to be had.</param>
    public sealed record Srv(string Owner, TimeSpan Ttl, int Priority, int Weight, int Port, string Target) : DnsRecord(Owner, Ttl);

    /// <summary>What a certificate must be (RFC 6698 §2.1), as it was published: nothing says that it can be used.</summary>
    public sealed record Tlsa(string Owner, TimeSpan Ttl, byte Usage, byte Selector, byte Matching, ImmutableArray<byte> Data)
        : DnsRecord(Owner, Ttl);
}

/// <summary>The record types that mail delivery reads (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 6698).</summary>
internal enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Ptr = 12,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Tlsa = 52,
}
