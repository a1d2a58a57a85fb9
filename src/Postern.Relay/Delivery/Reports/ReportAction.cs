namespace Postern.Relay.Delivery.Reports;

/// <summary>What a report says of a recipient (RFC 3464 §2.3.3). "delivered" is not among it: this host hands everything on.</summary>
internal enum ReportAction
{
    Failed,

    /// <summary>The next hop took it and will not report itself (RFC 3461 §5.2.2), or the sender traces the way (RFC 2852 §4.1.3).</summary>
    Relayed,

    /// <summary>Not delivered yet, and still tried.</summary>
    Delayed,
}
