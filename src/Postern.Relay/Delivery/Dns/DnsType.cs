namespace Postern.Relay.Delivery.Dns;

/// <summary>The record types that mail delivery reads (RFC 1035 §3.2.2, RFC 3596).</summary>
internal enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Mx = 15,
    Aaaa = 28,
}
