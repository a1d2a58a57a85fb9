using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// One message that is claimed and worked on. Everything that changes is read and written under <see cref="DeliveryWork.Gate"/>.
/// </summary>
internal sealed class TrackedMessage(SpoolClaim claim, MessageMemory? memory)
{
    public SpoolClaim Claim { get; set; } = claim;

    public Envelope Envelope => Claim.Entry.Envelope;

    public QueueId Id => Claim.Id;

    public DeliveryState State { get; set; } = claim.Entry.State;

    /// <summary>What goes on to its next attempt without being stored; null where there is nothing.</summary>
    public MessageMemory? Known { get; private set; } = memory;

    /// <summary>The same, to be written to.</summary>
    public MessageMemory Memory => Known ??= new MessageMemory();

    /// <summary>Jobs of the attempt under way that have no outcome yet.</summary>
    public int OpenJobs { get; set; }

    /// <summary>What the attempt under way came to so far, by recipient.</summary>
    public Outcome?[] Outcomes { get; set; } = [];

    /// <summary>An operator asked for it while an attempt was under way.</summary>
    public bool IsHoldWanted { get; set; }

    /// <summary>What it is counted as, of those whose destinations may not answer.</summary>
    public Doubt Doubt { get; set; }

    /// <summary>How often the clock had been set when the attempt under way began.</summary>
    public int BegunUnder { get; set; }

    public bool IsRemoved { get; set; }

    /// <summary>The disk did not take what the last attempt came to: only here is it known what is delivered already.</summary>
    public bool IsUnrecorded { get; set; }

    /// <summary>What is put before its content, made once for all its next hops.</summary>
    public Task<Decoration>? Decoration { get; set; }

    /// <summary><see cref="Delivery.Decoration.SignedBy"/>, where that was made.</summary>
    public string? SignedBy => Decoration is { IsCompletedSuccessfully: true, Result.SignedBy: { } keys } ? keys : null;

    /// <summary>Orders the writes of the state, so that the last one stored is the last one made.</summary>
    public SemaphoreSlim? Writing { get; set; }
}

/// <summary>
/// What is known of a message between its attempts and need not outlive the process. Most messages have nothing of it, and cost nothing.
/// </summary>
internal sealed class MessageMemory
{
    /// <summary>What its sender wants it held for (FUTURERELEASE), by a clock that nobody sets; null without.</summary>
    public SenderHold? Hold { get; set; }

    /// <summary>
    /// How often the clock had been set at its last attempt, where it has a deadline: only a time that it was tried under may give it up.
    /// </summary>
    public int TriedUnder { get; set; }

    /// <summary>Attempts in a row that failed by a mistake here.</summary>
    public int InternalErrors { get; set; }

    /// <summary>Attempts in a row that were not made, as this server ran short of something or could not read the content.</summary>
    public int Shortages { get; set; }

    public bool IsEmpty => Hold is null && TriedUnder == 0 && InternalErrors == 0 && Shortages == 0;
}
