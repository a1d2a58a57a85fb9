using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>
/// Where accepted messages live until each recipient's fate is known. All members may be called from any thread. A spool that is
/// broken says so in <see cref="Status"/> and refuses new drafts; what it holds stays readable where the disk allows. The properties
/// answer at once with what the spool knows by itself; a task may wait for a disk or a network, and the spools of this assembly answer
/// all but a commit and a change of state without waiting.
/// </summary>
public interface ISpool : IAsyncDisposable
{
    SpoolStatus Status { get; }

    /// <summary>Messages held.</summary>
    int Count { get; }

    /// <summary>What opening found; <see cref="SpoolRecovery.Nothing"/> where there was nothing to read.</summary>
    SpoolRecovery Recovery { get; }

    /// <summary>How long the last messages had to wait to become durable, or those that wait now have waited so far.</summary>
    TimeSpan CommitTime { get; }

    SpoolTally Tally { get; }

    /// <summary>Null where it takes nothing of any disk.</summary>
    SpoolSpace? Space => null;

    /// <summary>
    /// Looks at the messages in order of arrival until it knows; with a million of one kind that takes a tenth of a second.
    /// </summary>
    SpoolAges Ages() => default;

    /// <summary>
    /// Raised when something became due earlier than the last claim was told (<see cref="SpoolClaim.Batch.Next"/>), on any thread and
    /// without a lock of the spool: return at once.
    /// </summary>
    event Action? DueEarlier;

    /// <summary>Raised after a message became durable and visible, on the committer's thread: return at once.</summary>
    event Action<SpoolEntry>? Committed;

    /// <summary>
    /// The first <paramref name="most"/> messages that <paramref name="filter"/> means, in order of arrival, behind
    /// <paramref name="after"/> where it is given; where that message is no longer there, from the millisecond on in which its id was made.
    /// An empty page is the end.
    /// </summary>
    ValueTask<IReadOnlyList<SpoolEntry>> ListAsync(QueueFilter filter, QueueId? after, int most, CancellationToken ct);

    /// <summary>How many messages <paramref name="filter"/> means.</summary>
    ValueTask<int> CountAsync(QueueFilter filter, CancellationToken ct);

    /// <summary>Null when the message is not there.</summary>
    ValueTask<SpoolEntry?> FindAsync(QueueId id, CancellationToken ct);

    /// <summary>Begins a message. Costs nothing until content is appended; the answer comes at commit.</summary>
    ISpoolDraft CreateDraft();

    /// <summary>Begins to work on what is due. Several may, and no message is given to two.</summary>
    ValueTask<ISpoolClaims> OpenClaimsAsync(CancellationToken ct);

    /// <summary>
    /// Changes the delivery state whoever has claimed the message: what its claimant says then is refused until it has seen the change.
    /// Done when it is durable; false when the message is no longer there or <paramref name="change"/> wants none. An I/O failure throws
    /// <see cref="IOException"/> and leaves the old state in force.
    /// </summary>
    /// <param name="change">Makes the new state of the newest one, or null; fast, and without asking the spool.</param>
    ValueTask<bool> ChangeAsync(QueueId id, Func<SpoolEntry, DeliveryState?> change, CancellationToken ct);

    /// <summary>
    /// Makes messages due at another time until the spool is opened again; the stored time stays. What is held, claimed or on a shelf is
    /// left as it is. Answers how many have another time now.
    /// </summary>
    ValueTask<int> RescheduleAsync(IReadOnlyCollection<QueueId> ids, DateTimeOffset due, CancellationToken ct);

    /// <summary>
    /// Messages whose delivery is over (<see cref="ISpoolClaims.EndAsync"/>) and that are not removed yet, in no order. They stand in no
    /// other list.
    /// </summary>
    ValueTask<IReadOnlyList<SpoolEntry>> ListEndedAsync(CancellationToken ct) => new([]);

    /// <summary>
    /// Forgets a message, also one whose delivery is over. It is gone from every list when this is answered; the record of it need not be
    /// durable then: after a power loss a message may come back, never disappear. False when it was not there.
    /// </summary>
    ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct);

    /// <summary>
    /// Forgets all of them that are there; how many that were. What is asked of the spool meanwhile need not wait for all.
    /// </summary>
    ValueTask<int> RemoveAllAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct);

    /// <summary>
    /// Opens the content for reading; null when the message is no longer there. Damaged content throws <see cref="InvalidDataException"/>.
    /// </summary>
    ValueTask<ISpoolContent?> OpenContentAsync(QueueId id, CancellationToken ct);

    /// <summary>The same for a message whose delivery is over and that is not removed yet.</summary>
    ValueTask<ISpoolContent?> OpenEndedAsync(QueueId id, CancellationToken ct) => default;
}

/// <summary>One message in the spool as it stands now. <paramref name="Size"/> is the content in octets.</summary>
public sealed record SpoolEntry(Envelope Envelope, long Size, DeliveryState State);

/// <summary>The content of one message, readable while this is held even if the message is removed meanwhile.</summary>
public interface ISpoolContent : IDisposable
{
    long Length { get; }

    /// <summary>Reads up to the buffer's length from <paramref name="offset"/>; 0 only at the end.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct);
}

/// <summary>
/// The spool cannot be opened; the message says why and what to do about it, and is fit to be shown to the operator as it is.
/// </summary>
public sealed class SpoolUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>How many messages of a spool are in which condition. What is claimed is counted as nothing else.</summary>
/// <param name="Held">By an operator or by the server.</param>
/// <param name="HeldByServer">Those of them that the server holds for errors of its own.</param>
/// <param name="Claimed">Somebody works on them now.</param>
public readonly record struct SpoolTally(int Held, int HeldByServer, int Claimed)
{
    /// <summary>Of those that nobody holds and nobody has claimed, how many were tried before.</summary>
    public int Tried { get; init; }
}

/// <summary>Whether the spool takes messages, and if not, why in words an operator can act on.</summary>
public sealed record SpoolStatus(SpoolCondition Condition, string? Reason)
{
    public static SpoolStatus Writable { get; } = new(SpoolCondition.Writable, Reason: null);
}

public enum SpoolCondition
{
    Writable,

    /// <summary>The reserve of free space is used up; clears by itself when space returns.</summary>
    Full,

    /// <summary>Writing or syncing failed; nothing more is accepted until a restart.</summary>
    Failed,
}
