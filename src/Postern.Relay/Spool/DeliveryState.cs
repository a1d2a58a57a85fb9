using System.Collections.Immutable;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>
/// What is known about the delivery of one message. Immutable: every change is a new value, and the last one stored counts.
/// </summary>
/// <param name="Attempts">Delivery attempts made so far.</param>
/// <param name="NextAttempt">Not before this time; wall clock, because it must survive a restart.</param>
/// <param name="Held">Waits for an operator's release, or for the end of the server's own hold.</param>
/// <param name="Recipients">One state for each recipient of the envelope, in its order.</param>
public sealed record DeliveryState(int Attempts, DateTimeOffset NextAttempt, bool Held, ImmutableArray<RecipientState> Recipients)
{
    /// <summary>Nearly every message has it, so there is one.</summary>
    private static readonly ImmutableArray<RecipientState> OnePending = [RecipientState.Pending];

    /// <summary>The delays that its sender has been told of.</summary>
    public DelayReports Reported { get; init; }

    /// <summary>
    /// When the server itself held it, because attempts failed here and not there; null where nobody or an operator holds it. Such a hold
    /// ends at <see cref="NextAttempt"/>.
    /// </summary>
    public DateTimeOffset? HeldByServerAt { get; init; }

    /// <summary>
    /// Why a rule has it wait for an operator, from its arrival to its release; null where none does, and in what older versions wrote.
    /// </summary>
    public HoldReason? HeldFor { get; init; }

    /// <summary>When the last attempt came to this state; null before the first, and in what older versions wrote.</summary>
    public DateTimeOffset? TriedAt { get; init; }

    /// <summary>
    /// Why the sender was not told what the last attempt came to, as the log has it, a line for each reason; null where nothing was kept
    /// from it.
    /// </summary>
    public string? NotReported { get; init; }

    /// <summary>An operator wants recipients given up; null where none does. It is done at the next attempt, in its place.</summary>
    public ReturnOrder? Return { get; init; }

    /// <summary>
    /// An operator sends it another way than the routes say, as a route's <c>via</c> is written; null where the routes decide.
    /// </summary>
    public string? Via { get; init; }

    /// <summary>
    /// Its delivery is over and told: it is kept only until the event log is on the disk (<see cref="ISpool.ListEndedAsync"/>).
    /// </summary>
    public bool HasEnded { get; init; }

    /// <summary>The state of a message that has just arrived.</summary>
    public static DeliveryState Fresh(int recipients, DateTimeOffset now) =>
        new(Attempts: 0, now, Held: false, recipients == 1 ? OnePending : [.. Enumerable.Repeat(RecipientState.Pending, recipients)]);

    /// <summary>Its sender holds it back (RFC 4865), and no operator has had it tried before its time.</summary>
    public bool IsForLater(Envelope envelope, DateTimeOffset now) => Attempts == 0 && envelope.ReleasedAt > now;

    /// <summary>True when nothing is left to deliver.</summary>
    public bool IsFinished => Recipients.All(static r => r.Status != RecipientStatus.Pending);
}

/// <summary>What held a message when it arrived.</summary>
/// <param name="Rule">The name of the rule.</param>
/// <param name="Text">Its reason, for an operator.</param>
public sealed record HoldReason(string Rule, string Text, DateTimeOffset At);

/// <summary>One recipient's fate so far; <paramref name="LastReply"/> is what the last attempt ended with, for people to read.</summary>
public sealed record RecipientState(RecipientStatus Status, string? LastReply)
{
    /// <summary>At most 1 KiB; cut also when it is read from a spool of an older version.</summary>
    public string? LastReply { get; init; } = LastReply is null ? null : RemoteText.Cut(LastReply);

    /// <summary>The attempt that it was delivered or failed in; 0 while it is pending, and in what older versions wrote.</summary>
    public int Attempt { get; init; }

    /// <summary>What else is known of that answer; null before the first, and in what older versions wrote.</summary>
    public AnswerFacts? Answer { get; init; }

    public static RecipientState Pending { get; } = new(RecipientStatus.Pending, LastReply: null);
}

/// <summary>What is known of an answer beside its words.</summary>
/// <param name="Code">Of the reply; null where nobody replied.</param>
/// <param name="Status">The enhanced code, such as <c>5.1.1</c>; null where none was given.</param>
/// <param name="Trouble">Its category where that follows from no reply; null where the next hop took or refused it.</param>
/// <param name="IsVerbatim">The words are those of the next hop.</param>
public sealed record AnswerFacts(int? Code, string? Status, string? Trouble, bool IsVerbatim);

/// <summary>What an operator wants given up.</summary>
/// <param name="Why">What the sender is told.</param>
/// <param name="Recipients">Which of the envelope's, from 0; those that are delivered by then stay so.</param>
public sealed record ReturnOrder(string Why, ImmutableArray<int> Recipients);

/// <summary>Whether a recipient still wants a delivery attempt.</summary>
public enum RecipientStatus
{
    Pending,
    Delivered,
    Failed,

    /// <summary>It stood for others, by an alias, a forward or a list, and another message goes to those.</summary>
    Expanded,
}

/// <summary>The delays of a message that its sender has been told of, each once.</summary>
[Flags]
public enum DelayReports
{
    None = 0,

    /// <summary>It has waited for longer than <c>delivery.retry.warn</c>.</summary>
    Late = 1,

    /// <summary>The time that the sender gave it has passed (RFC 2852 §4.1.4).</summary>
    Overdue = 2,
}
