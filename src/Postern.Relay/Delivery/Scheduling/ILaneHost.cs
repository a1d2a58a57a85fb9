namespace Postern.Relay.Delivery.Scheduling;

/// <summary>What lanes need from whoever owns the messages.</summary>
internal interface ILaneHost
{
    /// <summary>Set once: lanes end after the message under way.</summary>
    bool IsStopping { get; }

    /// <summary>Cancelled with <see cref="IsStopping"/>: what the next hop cannot have yet is called off.</summary>
    CancellationToken Stopping { get; }

    /// <summary>Cancelled when waiting for messages under way is over.</summary>
    CancellationToken Abandoned { get; }

    /// <summary>Opens a job's content; null when there is nothing to deliver any more, which settles the job.</summary>
    ValueTask<PreparedJob?> PrepareAsync(DeliveryJob job, NextHop hop);

    /// <summary>Records what is decided of a job that still goes on. Never throws.</summary>
    ValueTask RecordAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes);

    /// <summary>Records what a job came to. Never throws.</summary>
    ValueTask CompleteAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes);

    /// <summary>Records that an attempt ended by a mistake here. Never throws.</summary>
    ValueTask FailInternallyAsync(DeliveryJob job, Exception mistake);

    /// <summary>Puts more into the queue of what waits elsewhere for room in it; false when nothing does.</summary>
    ValueTask<bool> TakeBacklogAsync(DestinationQueue queue);

    Standing StandingOf(NextHop hop);

    /// <summary>A new connection has carried its first message.</summary>
    void OnProved(NextHop hop);

    /// <summary>Somebody was spoken to.</summary>
    void OnReached(NextHop hop);

    /// <summary>Nobody was there to speak to.</summary>
    void OnUnreachable(NextHop hop, Outcome.Deferred why);

    /// <summary>What an attempt would find now, where nobody was there a moment ago; else null.</summary>
    Outcome.Deferred? WhyAway(NextHop hop);

    /// <summary>The queue has neither jobs nor lanes.</summary>
    void OnIdle(DestinationQueue queue);
}
