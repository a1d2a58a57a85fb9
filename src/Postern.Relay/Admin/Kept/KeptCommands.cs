using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Admin.Kept;

/// <summary>
/// What operators do with the content of messages whose delivery is over. Who read, removed or sent it again is in the log before they have
/// it.
/// </summary>
public sealed class KeptCommands(KeptFolder folder, IAuditLog audit, TimeProvider clock)
{
    private const int Part = 64 * 1024;

    /// <summary>Null where nothing is kept of it, or no longer.</summary>
    public KeptMessage? Find(QueueId id) => folder.Find(id, clock.GetUtcNow());

    /// <summary>Writes the content as it was accepted; false where nothing is kept of it.</summary>
    /// <exception cref="IOException">It cannot be read, or is damaged; or the log does not take who reads it: then nobody does.</exception>
    public async ValueTask<bool> CopyContentAsync(QueueId id, Stream to, Operator by, CancellationToken ct)
    {
        using var content = Open(id);
        if (content is null)
            return false;
        var lost = audit.Dropped;
        audit.Append(by.Did(clock.GetUtcNow(), "content read", id.ToString()));
        await audit.FlushAsync(ct);
        if (audit.Dropped != lost)
            throw new IOException($"the log does not take that {by.Name} reads the content of {id}, so it is not given out");
        await CopyAsync(content, to.WriteAsync, ct);
        return true;
    }

    /// <summary>Removes it before its time, durably; false where nothing is kept of it.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public async ValueTask<bool> RemoveAsync(QueueId id, Operator by, CancellationToken ct)
    {
        if (Find(id) is not { } kept || !folder.Remove(kept))
            return false;
        folder.Sync(id);
        audit.Append(by.Did(clock.GetUtcNow(), "content remove", id.ToString()));
        await audit.FlushAsync(ct);
        return true;
    }

    /// <summary>
    /// Sends the message again, as another one with the same content and sender: to those that it was for, to those of them that it did
    /// not get to, or to others.
    /// </summary>
    /// <param name="to">Empty for those that it was for.</param>
    /// <param name="onlyFailed">Those of them alone that it did not get to; only without <paramref name="to"/>.</param>
    /// <exception cref="IOException">It cannot be read, or the spool does not take it.</exception>
    public async ValueTask<Resending> ResendAsync(
        QueueId id, ImmutableArray<Mailbox> to, bool onlyFailed, ISpool spool, Operator by, CancellationToken ct)
    {
        if (await spool.FindAsync(id, ct) is not null)
            return new Resending(ResendOutcome.InQueue);
        using var content = Open(id);
        if (content is null)
            return new Resending(ResendOutcome.NotKept);
        var said = RecipientsOf(content.Entry, to, onlyFailed);
        if (said.Recipients.IsEmpty)
            return new Resending(ResendOutcome.NoneFailed);
        var envelope = content.Entry.Envelope with
        {
            Id = QueueId.New(clock),
            ArrivedAt = clock.GetUtcNow(),
            // A time that the sender set for the first one is over; and it has not come round.
            Said = said with { Parameters = said.Parameters with { HoldUntil = null, HoldFor = null, DeliverBy = null } },
            Earlier = null,
        };
        await using var draft = spool.CreateDraft();
        await CopyAsync(content, draft.AppendAsync, ct);
        var state = DeliveryState.Fresh(envelope.Recipients.Length, envelope.ArrivedAt);
        switch (await draft.CommitAsync(envelope, state, ct))
        {
            case SpoolCommit.Durable:
                break;
            case SpoolCommit.Full(var reason):
                throw new IOException(reason);
            case SpoolCommit.Failed(var reason):
                throw new IOException(reason);
            default:
                throw new IOException("the spool did not take the message");
        }

        AdminChange[] changes =
        [
            new("message", id.ToString(), envelope.Id.ToString()),
            new("recipients", Before: null, string.Join(' ', envelope.Recipients.Select(static r => r.Address))),
        ];
        audit.Append(by.Did(clock.GetUtcNow(), "queue resend", id.ToString(), changes));
        // The story of the other message begins here.
        audit.Append(by.Did(clock.GetUtcNow(), "queue resend", envelope.Id.ToString(), changes));
        await audit.FlushAsync(CancellationToken.None);
        return new Resending(ResendOutcome.Sent)
        {
            Id = envelope.Id.ToString(), Recipients = [.. envelope.Recipients.Select(static r => r.Address)],
        };
    }

    private KeptContent? Open(QueueId id)
    {
        try
        {
            return Find(id) is { } kept ? folder.Open(kept) : null;
        }
        catch (InvalidDataException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static SmtpEnvelope RecipientsOf(SpoolEntry entry, ImmutableArray<Mailbox> to, bool onlyFailed)
    {
        var said = entry.Envelope.Said;
        if (!to.IsEmpty)
            return said with { Recipients = to, RecipientParameters = [.. to.Select(one => WishesOf(said, one))] };
        int[] those =
        [
            .. Enumerable.Range(0, said.Recipients.Length)
                .Where(i => !onlyFailed || entry.State.Recipients[i].Status != RecipientStatus.Delivered),
        ];
        return said.For(those);
    }

    /// <summary>What was asked for a recipient that it was for; of another nothing was asked.</summary>
    private static RecipientParameters WishesOf(SmtpEnvelope said, Mailbox recipient) =>
        said.Recipients.IndexOf(recipient) is >= 0 and var i ? said.ParametersOf(i) : RecipientParameters.None;

    private static async ValueTask CopyAsync(
        KeptContent content, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write, CancellationToken ct)
    {
        var buffer = new byte[Part];
        for (long at = 0; at < content.Length;)
        {
            var read = await content.ReadAsync(at, buffer, ct);
            await write(buffer.AsMemory(0, read), ct);
            at += read;
        }
    }
}

/// <summary>What became of a message that was to be sent again.</summary>
public sealed record Resending(ResendOutcome Outcome)
{
    /// <summary>What it is called in the queue; null where it was not sent.</summary>
    public string? Id { get; init; }

    public ImmutableArray<string> Recipients { get; init; } = [];
}

/// <summary>Whether it was sent, and why not.</summary>
public enum ResendOutcome
{
    /// <summary>It is in the queue under another id.</summary>
    Sent,

    /// <summary>It is in the queue still, and tried there.</summary>
    InQueue,

    /// <summary>Nothing is kept of it, or no longer.</summary>
    NotKept,

    /// <summary>It got to all that it was for.</summary>
    NoneFailed,
}
