using System.Collections.Immutable;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Policy.Explaining;

/// <summary>What the audit log knows about a reference or a queue id; a value that any front end can draw.</summary>
public abstract record Explanation
{
    private Explanation()
    {
    }

    /// <summary>Every decision with that reference, the newest first: references are short, so there may be several.</summary>
    /// <param name="Repeats">How many more had the same reference and were only counted, the newest first.</param>
    public sealed record OfReference(ImmutableArray<DecisionEvent> Decisions, ImmutableArray<CoalescedEvent> Repeats) : Explanation;

    /// <summary>
    /// A message: its acceptance (null when the log no longer has it), the decisions of its transaction and what followed, each oldest
    /// first.
    /// </summary>
    /// <param name="Deliveries">Deliveries and bounces.</param>
    public sealed record OfMessage(AcceptedEvent? Accepted, ImmutableArray<DecisionEvent> Decisions, ImmutableArray<AuditEvent> Deliveries)
        : Explanation;

    /// <summary>The log has nothing under that name.</summary>
    public sealed record Unknown : Explanation;

    /// <summary>The text is neither a reference nor a queue id.</summary>
    public sealed record Malformed : Explanation;
}
