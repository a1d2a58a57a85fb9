using System.Net;

namespace Postern.Relay.Delivery.Dns;

/// <summary>One answer record. Names are lower case without the final dot; octets that no host name holds read as <c>?</c>.</summary>
internal abstract record DnsRecord(string Owner, TimeSpan Ttl)
{
    public sealed record Address(string Owner, TimeSpan Ttl, IPAddress Value) : DnsRecord(Owner, Ttl);

    /// <param name="Exchange">Empty for the null MX (RFC 7505).</param>
    public sealed record Mx(string Owner, TimeSpan Ttl, int Preference, string Exchange) : DnsRecord(Owner, Ttl);

    public sealed record Cname(string Owner, TimeSpan Ttl, string Target) : DnsRecord(Owner, Ttl);
}
