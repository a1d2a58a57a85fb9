namespace Postern.Relay.Delivery;

/// <summary>
/// What may still be done in the same attempt for a recipient that was deferred. Whoever is delivered or refused for good is decided, and no further
/// host is asked about it.
/// </summary>
public enum AfterDeferral
{
    /// <summary>This host did not take it: the next host or address of the same next hop may be asked (RFC 5321 §5.1).</summary>
    NextHost,

    /// <summary>Too many recipients for one transaction: another one, over the same connection (RFC 5321 §4.5.3.1.10).</summary>
    NewTransaction,

    /// <summary>The connection takes no more, which says nothing of the host.</summary>
    NewConnection,

    /// <summary>Nothing: it waits for its time. The host may have it already, or any other would say the same.</summary>
    NextAttempt,
}
