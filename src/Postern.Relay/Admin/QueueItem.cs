using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>One message in the queue as an operator sees it. The order of the properties is that of <c>queue --json</c>.</summary>
public sealed record QueueItem
{
    public required string Id { get; init; }

    public required DateTimeOffset ArrivedAt { get; init; }

    /// <summary>
    /// <c>held</c>, <c>held (errors here)</c> (by the server, after attempts that failed here), <c>no route</c> (until one is configured),
    /// <c>suspended</c> (as long as its destinations are),
    /// <c>deferred</c> (tried, and to be tried again) or <c>waiting</c>.
    /// </summary>
    public required string State { get; init; }

    /// <summary>Empty for the null sender.</summary>
    public required string Sender { get; init; }

    /// <summary>Octets of content.</summary>
    public required long Size { get; init; }

    public string? Login { get; init; }

    /// <summary>Whose it is, of those that share the server; null for nobody's in particular.</summary>
    public string? Tenant { get; init; }

    public string? Client { get; init; }

    public string? Listener { get; init; }

    public required int Attempts { get; init; }

    /// <summary>Null while an operator holds it or without a route; of what the server holds, the last.</summary>
    public DateTimeOffset? NextAttempt { get; init; }

    /// <summary>
    /// What it waits for although its time has come: a rate, a connection, other mail before it; null where that has not come, where it is
    /// being sent, and where no server runs.
    /// </summary>
    public string? WaitsFor { get; init; }

    /// <summary>ENVID=, by which the sender knows the message; null without.</summary>
    public string? EnvelopeId { get; init; }

    /// <summary>The release that the sender asked for (HOLDFOR=, HOLDUNTIL=); null without.</summary>
    public DateTimeOffset? HoldUntil { get; init; }

    /// <summary>
    /// The rule that has it wait for an operator since it arrived; null where none does: then an operator holds what is held, or the
    /// server.
    /// </summary>
    public string? HeldRule { get; init; }

    /// <summary>What that rule says to the operator.</summary>
    public string? HeldReason { get; init; }

    /// <summary>When it did.</summary>
    public DateTimeOffset? HeldAt { get; init; }

    /// <summary>The way that an operator has chosen in the place of the routes; null where the routes decide.</summary>
    public string? Via { get; init; }

    /// <summary>Seconds for which the content is kept when the delivery is over; null where it is not.</summary>
    public long? KeepSeconds { get; init; }

    /// <summary>The message whose recipients stood for those of this one, by aliases, forwards or a list; null where none did.</summary>
    public string? ExpandedFrom { get; init; }

    /// <summary>Which recipients those were, and lists before them; null where none were.</summary>
    public ImmutableArray<string>? ExpandedNames { get; init; }

    /// <summary>REQUIRETLS.</summary>
    public bool RequiresTls { get; init; }

    /// <summary>TLS-Required: No.</summary>
    public bool TlsRequiredNo { get; init; }

    /// <summary>The time that the sender gave it (BY=); null without.</summary>
    public DateTimeOffset? DeliverBy { get; init; }

    /// <summary><c>return</c> or <c>notify</c>: what happens then; null without a time.</summary>
    public string? DeliverByMode { get; init; }

    public required ImmutableArray<QueueRecipient> Recipients { get; init; }
}

/// <param name="Status">
/// <c>pending</c>, <c>delivered</c>, <c>failed</c>, or <c>expanded</c> where it stood for others that another message goes to.
/// </param>
/// <param name="LastReply">What the last attempt ended with; it may come from the network.</param>
/// <param name="Notify">NOTIFY= as it was said, such as <c>success,delay</c>; null without.</param>
/// <param name="OriginalRecipient">ORCPT= as <c>type;address</c>; null without.</param>
public sealed record QueueRecipient(string Address, string Status, string? LastReply, string? Notify, string? OriginalRecipient)
{
    /// <summary>
    /// What kind of trouble it was, by what refusals are called now; null where there was none, and of what an older version
    /// wrote.
    /// </summary>
    public string? Category { get; init; }
}

/// <param name="Total">Every message that fits, also those that are not on this page.</param>
/// <param name="Items">In order of arrival.</param>
public sealed record QueuePage(int Total, ImmutableArray<QueueItem> Items);
