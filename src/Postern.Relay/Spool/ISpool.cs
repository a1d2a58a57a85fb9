using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>
/// Where accepted messages live until each recipient's fate is known. All members may be called from any thread. A spool that is
/// broken says so in <see cref="Status"/> and refuses new drafts; what it holds stays readable where the disk allows.
/// </summary>
public interface ISpool : IAsyncDisposable
{
    SpoolStatus Status { get; }

    int Count { get; }

    /// <summary>Raised after a message became durable and visible, on the committer's thread: return at once.</summary>
    event Action<SpoolEntry>? Committed;

    /// <summary>Every message held, in order of arrival; a snapshot that later changes do not touch.</summary>
    IReadOnlyList<SpoolEntry> List();

    /// <summary>
    /// The first <paramref name="most"/> messages in order of arrival, behind <paramref name="after"/> where it is given, without a copy of the rest;
    /// null when that message is no longer there.
    /// </summary>
    IReadOnlyList<SpoolEntry>? List(QueueId? after, int most);

    SpoolEntry? Find(QueueId id);

    /// <summary>Begins a message. Costs nothing until content is appended; the answer comes at commit.</summary>
    ISpoolDraft CreateDraft();

    /// <summary>
    /// Replaces the delivery state; done when it is durable. False when the message is no longer there. An I/O failure throws
    /// <see cref="IOException"/> and leaves the old state in force.
    /// </summary>
    ValueTask<bool> UpdateAsync(QueueId id, DeliveryState state, CancellationToken ct);

    /// <summary>
    /// Forgets a message. It is gone from <see cref="List()"/> at once; the record is written with the next batch without waiting for
    /// the disk: after a power loss a message may come back, never disappear. False when it was not there.
    /// </summary>
    bool Remove(QueueId id);

    /// <summary>Opens the content for reading; null when the message is no longer there. Damaged content throws <see cref="InvalidDataException"/>.</summary>
    ISpoolContent? OpenContent(QueueId id);
}
