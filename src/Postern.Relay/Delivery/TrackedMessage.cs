using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <summary>One message as the scheduler follows it. Everything that changes is read and written under the scheduler's lock.</summary>
internal sealed class TrackedMessage(SpoolEntry entry)
{
    public Envelope Envelope { get; } = entry.Envelope;

    public QueueId Id => Envelope.Id;

    public DeliveryState State { get; set; } = entry.State;

    public MessageStage Stage { get; set; } = MessageStage.Waiting;

    /// <summary>Jobs of the attempt under way that have no outcome yet.</summary>
    public int OpenJobs { get; set; }

    /// <summary>What the attempt under way came to so far, by recipient.</summary>
    public Outcome?[] Outcomes { get; set; } = [];

    /// <summary>Counts the attempts in memory: an entry in the retry queue with another number is out of date.</summary>
    public int Turn { get; set; }

    /// <summary>An operator asked for it while an attempt was under way.</summary>
    public bool IsHoldWanted { get; set; }

    /// <summary>How often the clock had been set when the attempt under way began.</summary>
    public int BegunUnder { get; set; }

    /// <summary>The same, of the last attempt that ended: only that time may give the message up.</summary>
    public int TriedUnder { get; set; }

    public bool IsRemoved { get; set; }

    /// <summary>What its sender wants it held for (FUTURERELEASE), by a clock that nobody sets; null without.</summary>
    public SenderHold? Hold { get; init; }

    /// <summary>Its sender wants it held, and that time is not over.</summary>
    public bool IsHeldBySender(DateTimeOffset now) =>
        Stage == MessageStage.Waiting && State.Attempts == 0 && Envelope.Parameters.HoldUntil is { } until && (until > now || (Hold is { HasJumped: true } && State.NextAttempt > now));

    /// <summary>The server holds it, for a time: it waits for an operator, or for its last attempt.</summary>
    public bool IsHeldByServer => Stage == MessageStage.Held && State.HeldByServerAt is not null;

    /// <summary>Attempts in a row that failed by a mistake here.</summary>
    public int InternalErrors { get; set; }

    /// <summary>Attempts in a row that were not made, as this server ran short of something or could not read the content.</summary>
    public int Shortages { get; set; }

    /// <summary>Orders the writes of the state, so that the last one stored is the last one made.</summary>
    public SemaphoreSlim? Writing { get; set; }
}
