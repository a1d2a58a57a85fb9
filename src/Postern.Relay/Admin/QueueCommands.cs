using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

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
    /// <param name="with">
    /// What the action needs: for <see cref="QueueAction.Bounce"/> the words for the sender, for <see cref="QueueAction.Reroute"/> the way
    /// (null: that of the routes), for <see cref="QueueAction.Redirect"/> the address. The last two are good in the eyes of
    /// <see cref="WhyNot"/>.
    /// </param>
    /// <param name="reason">Why, for the log; null where nothing is said.</param>
    public async ValueTask<QueueChange> ApplyAsync(
        QueueAction action, QueueFilter filter, Operator by, CancellationToken ct, string? with = null, string? reason = null)
    {
        AdminChange[] why = reason is null ? [] : [new AdminChange("reason", Before: null, reason)];
        var changed = 0;
        var matched = await FindAsync(filter, ct);
        var reference = DecisionReference.New();
        if (action == QueueAction.Remove)
            await TellOfRemovalsAsync(matched, by, reference, why, ct);
        foreach (var id in matched)
        {
            AdminChange[]? done = action switch
            {
                QueueAction.Hold => await control.HoldAsync(id, ct) ? [Held] : null,
                QueueAction.Release => await control.ReleaseAsync(id, ct) ? [Released] : null,
                QueueAction.Retry => await control.RetryAsync(id, ct) ? [] : null,
                QueueAction.Remove => await control.RemoveAsync(id, ct) ? [] : null,
                QueueAction.Bounce => await BounceAsync(id, filter, with ?? QueueWords.Returned, ct),
                QueueAction.Reroute => await RerouteAsync(id, with, ct),
                QueueAction.Redirect => await new Redirection(spool, clock).RedirectAsync(id, filter, Mailbox.Parse(with!), ct),
                _ => null,
            };
            if (done is null)
                continue;
            if (action is QueueAction.Bounce or QueueAction.Reroute or QueueAction.Redirect)
                await control.RecallAsync(id);
            changed++;
            if (action != QueueAction.Remove)
                audit.Append(by.Did(clock.GetUtcNow(), Word(action), id.ToString(), [.. done, .. why]) with { Ref = reference });
            // The story of the other message begins here.
            if (action == QueueAction.Redirect)
                audit.Append(by.Did(clock.GetUtcNow(), Word(action), done[^1].After!, [.. done, .. why]) with { Ref = reference });
        }

        // What an operator has been answered is in the log, even if the process is killed now.
        await audit.FlushAsync(ct);
        return new QueueChange(matched.Count, changed) { Ref = changed > 0 ? reference : null };
    }

    /// <summary>Why an action cannot be done with that; null where it can.</summary>
    public static string? WhyNot(QueueAction action, string? with) => action switch
    {
        QueueAction.Reroute when with is not null => OtherWay.WhyNot(with),
        QueueAction.Redirect when with is null => "to whom is missing: --address ADDRESS",
        QueueAction.Redirect => Mailbox.TryParse(with, out _) ? null : $"'{with}' is not an address",
        _ => null,
    };

    /// <summary>The scheduler does the rest, now or at its next start: the report and the end of the message are one with it.</summary>
    private async ValueTask<AdminChange[]?> BounceAsync(QueueId id, QueueFilter filter, string why, CancellationToken ct)
    {
        var (now, count) = (clock.GetUtcNow(), 0);
        var isDone = await spool.ChangeAsync(
            id,
            entry =>
            {
                var recipients = filter.RecipientsOf(entry);
                count = recipients.Length;
                return count == 0
                    ? null
                    : entry.State with
                    {
                        Return = new ReturnOrder(why, recipients),
                        Held = false,
                        HeldByServerAt = null,
                        HeldFor = null,
                        NextAttempt = now,
                    };
            },
            ct);
        return isDone ? [new AdminChange("returned recipients", Before: null, count.ToString(CultureInfo.InvariantCulture))] : null;
    }

    private async ValueTask<AdminChange[]?> RerouteAsync(QueueId id, string? via, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        string? before = null;
        var isDone = await spool.ChangeAsync(
            id,
            entry =>
            {
                before = entry.State.Via;
                return before == via
                    ? null
                    : entry.State with
                    {
                        Via = via,
                        NextAttempt = entry.State.IsForLater(entry.Envelope, now) || entry.State.Held ? entry.State.NextAttempt : now,
                    };
            },
            ct);
        return isDone ? [new AdminChange("via", before, via)] : null;
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
    /// The first octets of a message as it is queued; that somebody read it is in the log before. Null when it is not there.
    /// </summary>
    /// <exception cref="IOException">The content is damaged or cannot be read.</exception>
    public async ValueTask<byte[]?> ReadBeginningAsync(QueueId id, int most, Operator by, CancellationToken ct)
    {
        try
        {
            using var content = await spool.OpenContentAsync(id, ct);
            if (content is null)
                return null;
            audit.Append(by.Did(clock.GetUtcNow(), "queue read", id.ToString()));
            await audit.FlushAsync(ct);
            var beginning = new byte[Math.Min(most, content.Length)];
            for (var offset = 0; offset < beginning.Length;)
            {
                var read = await content.ReadAsync(offset, beginning.AsMemory(offset), ct);
                if (read == 0)
                    throw new IOException($"the content of {id} ends at {offset} of {content.Length} octets");
                offset += read;
            }

            return beginning;
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
    private async ValueTask TellOfRemovalsAsync(
        List<QueueId> ids, Operator by, string reference, AdminChange[] why, CancellationToken ct)
    {
        foreach (var id in ids)
            audit.Append(by.Did(clock.GetUtcNow(), Word(QueueAction.Remove), id.ToString(), why) with { Ref = reference });
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

    private static string Word(QueueAction action) => action switch
    {
        QueueAction.Hold => "queue hold",
        QueueAction.Release => "queue release",
        QueueAction.Retry => "queue retry",
        QueueAction.Remove => "queue remove",
        QueueAction.Bounce => "queue bounce",
        QueueAction.Reroute => "queue reroute",
        QueueAction.Redirect => "queue redirect",
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

    /// <summary>Gives recipients up now; their sender is told, as of any failure.</summary>
    Bounce,

    /// <summary>Sends another way than the routes say, or again as they say.</summary>
    Reroute,

    /// <summary>Sends to another recipient.</summary>
    Redirect,
}

/// <summary>Words for whoever is told of an operator's change.</summary>
public static class QueueWords
{
    /// <summary>What a sender is told whose message is given up, where the operator says nothing else.</summary>
    public const string Returned = "Returned by the operator of this server before it was delivered";
}

/// <param name="Matched">Messages that the filter met.</param>
/// <param name="Changed">Those that are now different; the others were so already, or finished meanwhile.</param>
public sealed record QueueChange(int Matched, int Changed)
{
    /// <summary>By which the change is found in the log, and undone where it can be; null where nothing changed.</summary>
    public string? Ref { get; init; }
}
