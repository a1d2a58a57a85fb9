using System.Collections.Immutable;

namespace Postern.Relay.Audit;

/// <summary>
/// One thing that happened, as one JSON line. Texts may come from the network: the writer escapes control characters. No event
/// has a place for a secret. <paramref name="At"/> is UTC.
/// </summary>
public abstract record AuditEvent(DateTimeOffset At)
{
    /// <summary>The client that made it happen; null where none did, and where every event must be told. Not written.</summary>
    public AuditCause? Cause { get; init; }

    /// <summary>A finished AUTH. The user is masked by the producer when no account of that name exists.</summary>
    /// <param name="Outcome">ok, failed, unavailable, cancelled, malformed, too_weak, transition_needed; anonymous, which is neither a login nor a failed one.</param>
    /// <param name="Tls">TLSv1.3 and so on; null without TLS.</param>
    public sealed record Login(
        DateTimeOffset At, string Session, string Listener, string Client, string Mechanism, string? User, string? ActingAs, string Outcome, string Reason, string? Tls)
        : AuditEvent(At);

    /// <summary>A policy decision with the whole chain that led to it; found again by <paramref name="Ref"/>.</summary>
    /// <param name="Outcome">permit or refuse.</param>
    /// <param name="Stage">sender or recipient.</param>
    public sealed record Decision(
        DateTimeOffset At, string Ref, string Session, string Listener, string Client, string? Helo, string? User, string? Tls, string Stage, string Sender, string? Recipient,
        string Outcome, string Rule, string? Reply, ImmutableArray<RuleStep> Chain)
        : AuditEvent(At);

    /// <summary>A message became durable here.</summary>
    public sealed record Accepted(
        DateTimeOffset At, string QueueId, string Session, string Listener, string Client, string? User, string Sender, ImmutableArray<string> Recipients, long Size, string? Tls)
        : AuditEvent(At)
    {
        /// <summary>Recipients beside those that are named.</summary>
        public int MoreRecipients { get; init; }

        /// <summary>Message-ID as the message has it, of its first such field, or as it was given one here; null without.</summary>
        public string? MessageId { get; init; }

        /// <summary>The first From field, unfolded and not decoded: what its reader sees as the author; null without.</summary>
        public string? HeaderFrom { get; init; }

        /// <summary>ENVID=, by which its sender knows it (RFC 3461 §4.4); null when the sender gave none.</summary>
        public string? EnvelopeId { get; init; }

        /// <summary>Where the message came from by the word of a listed peer (XFORWARD); null without one.</summary>
        public string? Forwarded { get; init; }
    }

    /// <summary>The content was refused at the end of data, or the transaction was given up there.</summary>
    public sealed record Refused(DateTimeOffset At, string Session, string Listener, string Client, string? User, string Verb, string Reply)
        : AuditEvent(At);

    /// <summary>One recipient's outcome of one delivery attempt.</summary>
    /// <param name="Outcome">delivered, deferred or failed.</param>
    /// <param name="Remote">host and address spoken to; null when none was reached.</param>
    public sealed record Delivery(
        DateTimeOffset At, string QueueId, string Recipient, string Outcome, int Attempt, string? Remote, string Reply, string? Tls, DateTimeOffset? NextAttempt)
        : AuditEvent(At);

    /// <summary>A report to the sender was written for a message (a bounce; also a delay or a success), or suppressed, and why.</summary>
    public sealed record Bounce(DateTimeOffset At, string QueueId, string? BounceId, string To, string Reason)
        : AuditEvent(At);

    /// <summary>An operator changed something. <paramref name="Actor"/> is the system user.</summary>
    public sealed record Admin(DateTimeOffset At, string Actor, string Action, string Target)
        : AuditEvent(At);

    /// <summary>The server itself: started, stopping, a certificate made, a limit reached.</summary>
    public sealed record Server(DateTimeOffset At, string Event, string Detail)
        : AuditEvent(At);

    /// <summary>Events like others before them, which were counted and not written. Stands in the file of its kind.</summary>
    /// <param name="Kind">auth, mail, policy or server.</param>
    /// <param name="Client">The address of the first; of IPv6 it stands for its /64. Null where there were too many places to tell apart.</param>
    /// <param name="What">The stage of a decision, the outcome of a login, the name of a server event; <c>others</c> where there were too many.</param>
    /// <param name="Detail">The rule or the verb.</param>
    /// <param name="Code">The code of the reply; null without one.</param>
    /// <param name="Ref">The reference that the replies had: of the decision that was written.</param>
    public sealed record Coalesced(
        DateTimeOffset At, string Kind, string? Client, string? User, string What, string? Detail, int? Code, string? Ref, long Count, DateTimeOffset Since)
        : AuditEvent(At);
}
