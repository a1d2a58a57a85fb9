namespace Postern.Relay.Delivery.Dns;

internal enum DnsStatus
{
    Found,

    /// <summary>The name exists, records of this type do not.</summary>
    NoData,

    NoSuchDomain,

    /// <summary>No resolver gave an answer that can be used.</summary>
    Unavailable,
}
