using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Admin;

/// <summary>
/// Changes messages in the queue, one or many. Needs the spool, whoever works on it, and the log: every change is one event there.
/// </summary>
public sealed class QueueCommands(ISpool spool, IQueueControl control, IAuditLog audit, TimeProvider clock)
{
    private const int Page = 1000;

    private static readonly AdminChange Held = new("held", "false", "true");
    private static readonly AdminChange Released = new("held", "true", "false");

    /// <param name="by">Who asked.</param>
    public async ValueTask<QueueChange> ApplyAsync(QueueAction action, QueueFilter filter, Operator by, CancellationToken ct)
    {
        var changed = 0;
        var matched = await FindAsync(filter, ct);
        if (action == QueueAction.Remove)
            await TellOfRemovalsAsync(matched, by, ct);
        foreach (var id in matched)
        {
            var isDone = action switch
            {
                QueueAction.Hold => await control.HoldAsync(id, ct),
                QueueAction.Release => await control.ReleaseAsync(id, ct),
                QueueAction.Retry => await control.RetryAsync(id, ct),
                QueueAction.Remove => await control.RemoveAsync(id, ct),
                _ => false,
            };
            if (!isDone)
                continue;
            changed++;
            if (action != QueueAction.Remove)
                audit.Append(by.Did(clock.GetUtcNow(), Word(action), id.ToString(), ChangesOf(action)));
        }

        // What an operator has been answered is in the log, even if the process is killed now.
        await audit.FlushAsync(ct);
        return new QueueChange(matched.Count, changed);
    }

    /// <summary>Writes a message as it is queued, and that somebody read it into the log; false when it is not there.</summary>
    /// <exception cref="IOException">The content is damaged or cannot be read.</exception>
    public async ValueTask<bool> CopyContentAsync(QueueId id, Stream to, Operator by, CancellationToken ct)
    {
        try
        {
            using var content = await spool.OpenContentAsync(id, ct);
            if (content is null)
                return false;
            audit.Append(by.Did(clock.GetUtcNow(), "queue read", id.ToString()));
            var buffer = new byte[64 * 1024];
            for (long offset = 0; offset < content.Length;)
            {
                var read = await content.ReadAsync(offset, buffer, ct);
                if (read == 0)
                    throw new IOException($"the content of {id} ends at {offset} of {content.Length} octets");
                await to.WriteAsync(buffer.AsMemory(0, read), ct);
                offset += read;
            }

            return true;
        }
        catch (InvalidDataException e)
        {
            throw new IOException($"the content of {id} is damaged: {e.Message}", e);
        }
    }

    /// <summary>
    /// Before they go, and on the disk: a message that is gone is the one thing that nobody could tell of afterwards. One that ends by
    /// itself in between has been told of as removed, which its operator wanted.
    /// </summary>
    private async ValueTask TellOfRemovalsAsync(List<QueueId> ids, Operator by, CancellationToken ct)
    {
        foreach (var id in ids)
            audit.Append(by.Did(clock.GetUtcNow(), Word(QueueAction.Remove), id.ToString()));
        if (ids.Count > 0)
            await audit.SafeAsync(ct);
    }

    /// <summary>All of them before the first is changed: what is removed is no place for the next page to begin at.</summary>
    private async ValueTask<List<QueueId>> FindAsync(QueueFilter filter, CancellationToken ct)
    {
        var ids = new List<QueueId>();
        while (await spool.ListAsync(filter, ids.Count == 0 ? null : ids[^1], Page, ct) is { Count: > 0 } page)
            ids.AddRange(page.Select(static entry => entry.Envelope.Id));
        return ids;
    }

    private static ReadOnlySpan<AdminChange> ChangesOf(QueueAction action) => action switch
    {
        QueueAction.Hold => new(in Held),
        QueueAction.Release => new(in Released),
        _ => [],
    };

    private static string Word(QueueAction action) => action switch
    {
        QueueAction.Hold => "queue hold",
        QueueAction.Release => "queue release",
        QueueAction.Retry => "queue retry",
        QueueAction.Remove => "queue remove",
        _ => action.ToString(),
    };
}

/// <summary>What an operator can do to messages in the queue; <see cref="IQueueControl"/> says what each means.</summary>
public enum QueueAction
{
    Hold,
    Release,
    Retry,
    Remove,
}

/// <param name="Matched">Messages that the filter met.</param>
/// <param name="Changed">Those that are now different; the others were so already, or finished meanwhile.</param>
public sealed record QueueChange(int Matched, int Changed);
