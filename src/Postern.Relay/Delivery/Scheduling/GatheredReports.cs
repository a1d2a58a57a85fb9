using System.Buffers;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Puts reports that waited for others to the same address into one message. That message and the end of all that are in it are one record
/// of the spool, so a crash leaves them all as they were, or all in it. Used by one look for what is due at a time.
/// </summary>
internal sealed class GatheredReports(DeliveryWork work)
{
    /// <summary>So many are taken together; more are for the next look.</summary>
    private const int MostInAll = 2_000;

    /// <summary>When the disk does not take the message that they are put into.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(string To, bool RequiresTls, bool IsUtf8), List<TrackedMessage>> waiting = [];
    private int count;

    /// <summary>So many are here that they should be sent before more are taken.</summary>
    public bool IsFull => count >= MostInAll;

    public bool IsEmpty => count == 0;

    /// <summary>Takes a report that has been gathered and not been tried by itself; false where it is none.</summary>
    public bool TryTake(TrackedMessage message)
    {
        if (message is not { Envelope.ReportOf.IsGathered: true, State.Attempts: 0 })
            return false;
        var key = ReportBundle.KeyOf(message.Envelope);
        if (!waiting.TryGetValue(key, out var others))
            waiting[key] = others = [];
        others.Add(message);
        count++;
        return true;
    }

    /// <summary>Makes messages of all that is here.</summary>
    /// <returns>Reports that are alone, or cannot be read together: each is to be sent by itself.</returns>
    public async ValueTask<IReadOnlyList<TrackedMessage>> SendAsync()
    {
        List<TrackedMessage> alone = [];
        var all = waiting.Values.ToList();
        waiting.Clear();
        count = 0;
        foreach (var part in all.SelectMany(static one => one.Chunk(ReportBundle.Most)))
        {
            if (part.Length == 1 || !await TryJoinAsync(part).ConfigureAwait(false))
                alone.AddRange(part);
        }

        return alone;
    }

    /// <summary>False when one of them cannot be read; each is dealt with where the others are not in the way.</summary>
    private async ValueTask<bool> TryJoinAsync(TrackedMessage[] reports)
    {
        try
        {
            var (id, now) = (QueueId.New(work.Clock), work.Now);
            var bundle = new ReportBundle(id, now, work.Options.Hostname, [.. reports.Select(static one => one.Claim.Entry)]);
            var draft = work.Spool.CreateDraft();
            await using (draft.ConfigureAwait(false))
            {
                if (!await bundle.WriteAsync(draft, CopyAsync, CancellationToken.None).ConfigureAwait(false))
                    return false;
                SpoolClaim.Settled[] settled = [.. reports.Select(one => new SpoolClaim.Settled(one.Claim, Joined(one, id, now)))];
                var commit = await work.Claims.CommitAsync(
                    settled, draft, bundle.Envelope, DeliveryState.Fresh(recipients: 1, now), CancellationToken.None).ConfigureAwait(false);
                if (commit is SpoolCommit.Durable)
                    await EndAsync(reports, settled, bundle.Envelope, now).ConfigureAwait(false);
                else
                    await PutOffAsync(reports, commit).ConfigureAwait(false);
                return true;
            }
        }
        catch (Exception e) when (e is InvalidDataException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException || OwnShortage.WordsOf(e) is not null)
        {
            await PutOffAsync(reports, new SpoolCommit.Failed(e.Message)).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>In a message of its own, which has its attempts: this one is over.</summary>
    private static DeliveryState Joined(TrackedMessage report, QueueId into, DateTimeOffset now) => report.State with
    {
        Attempts = 1,
        TriedAt = now,
        Recipients = [new RecipientState(RecipientStatus.Delivered, $"sent together with others in {into}") { Attempt = 1 }],
    };

    private async ValueTask EndAsync(TrackedMessage[] reports, SpoolClaim.Settled[] settled, Envelope bundle, DateTimeOffset now)
    {
        work.Audit.Append(new BounceEvent(
            now, bundle.ReportOf!.About.ToString(), bundle.Id.ToString(), bundle.Recipients[0].Address, bundle.ReportOf.Reason));
        for (var i = 0; i < reports.Length; i++)
        {
            var (claim, state) = settled[i];
            work.Audit.Append(new DeliveryEvent(
                now,
                claim.Id.ToString(),
                claim.Entry.Envelope.Recipients[0].Address,
                DeliveryOutcome.Delivered,
                Attempt: 1,
                state.Recipients[0].LastReply!));
            if (await work.Claims.EndAsync(claim, state with { HasEnded = true }, CancellationToken.None).ConfigureAwait(false)
                == SpoolClaim.Answer.Done)
                work.Ended.Add(claim.Entry);
        }
    }

    /// <summary>Somebody else changed one of them, or the disk has no room: they are as they were, and looked at again.</summary>
    private async ValueTask PutOffAsync(TrackedMessage[] reports, SpoolCommit why)
    {
        var problem = why switch
        {
            SpoolCommit.Full(var reason) => reason,
            SpoolCommit.Failed(var reason) => reason,
            _ => null,
        };
        if (problem is not null)
            work.Tell("spool-error", $"{reports.Length} reports that wait to be sent together: {problem}");
        foreach (var report in reports)
            await work.ReleaseAsync(report, shelf: null).ConfigureAwait(false);
        await work.Spool.RescheduleAsync([.. reports.Select(static one => one.Id)], work.Now + Pause, CancellationToken.None)
            .ConfigureAwait(false);
    }

    private async ValueTask<bool> CopyAsync(QueueId id, ISpoolDraft draft)
    {
        using var content = await work.Spool.OpenContentAsync(id, CancellationToken.None).ConfigureAwait(false);
        if (content is null)
            return false;
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            for (var at = 0L; at < content.Length;)
            {
                var read = await content.ReadAsync(at, buffer, CancellationToken.None).ConfigureAwait(false);
                if (read == 0)
                    return false;
                await draft.AppendAsync(buffer.AsMemory(0, read), CancellationToken.None).ConfigureAwait(false);
                at += read;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
