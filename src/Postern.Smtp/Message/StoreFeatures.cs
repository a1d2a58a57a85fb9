namespace Postern.Smtp.Message;

/// <summary>
/// What a store does beyond keeping content. Each is a promise to clients: an extension that needs one is offered only where the store says
/// that it keeps it. There is no "all", for a store cannot promise what it does not know yet.
/// </summary>
[Flags]
public enum StoreFeatures
{
    /// <summary>Keeps sender, recipients and content.</summary>
    None = 0,

    /// <summary>Reports success, failure and delay as NOTIFY, RET, ENVID and ORCPT ask, and passes them on (RFC 3461).</summary>
    DeliveryReports = 1,

    /// <summary>Takes UTF-8 in addresses and header fields, and hands such a message only to those who take it too (RFC 6531).</summary>
    Utf8 = 2,

    /// <summary>Passes a message with REQUIRETLS on over verified TLS to servers that promise the same, or not at all (RFC 8689).</summary>
    RequireTls = 4,

    /// <summary>Gives up or reports a message that was not delivered within BY= (RFC 2852).</summary>
    DeliverBy = 8,

    /// <summary>Holds a message until HOLDUNTIL= (RFC 4865).</summary>
    Hold = 16,

    /// <summary>Takes content without a line structure, octet for octet (RFC 3030).</summary>
    Binary = 32,

    /// <summary>Delivers a message of higher MT-PRIORITY before others, and passes the priority on (RFC 6710).</summary>
    Priority = 64,
}
