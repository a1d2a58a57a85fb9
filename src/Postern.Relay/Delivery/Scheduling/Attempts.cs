using System.Collections.Immutable;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>The side that the lanes see: what to send next, and what became of it.</summary>
internal sealed class Attempts(DeliveryWork work, Timekeeper time, StateRecorder recorder, AttemptEnd end) : ILaneHost
{
    private readonly KnownHops known = new();

    bool ILaneHost.IsStopping => work.IsStopping;

    CancellationToken ILaneHost.Stopping => work.Stopping.Token;

    CancellationToken ILaneHost.Abandoned => work.Abandoned.Token;

    /// <summary>These, and the two that follow, need the lanes, which need this.</summary>
    public Destinations Destinations { private get; set; } = null!;

    public Outages Outages { private get; set; } = null!;

    public DueMail Due { private get; set; } = null!;

    public async ValueTask<PreparedJob?> PrepareAsync(DeliveryJob job, NextHop hop)
    {
        // What is delivered now could not be recorded, and would be delivered once more after the restart.
        if (work.Spool.Status is { Condition: SpoolCondition.Failed, Reason: { } reason })
            return await SettleAsync(
                job, new Outcome.Deferred(Remote: null, $"not tried: {reason}", Tls: null) { Cause = DeliveryCause.OwnSurroundings })
                .ConfigureAwait(false);
        var now = work.Now;
        if (job.Message.Envelope.Deadline?.IsOver(now) == true
            && (job.Message.Known?.TriedUnder ?? 0) == await time.LookAsync().ConfigureAwait(false))
            return await SettleAsync(
                job,
                new Outcome.Failed(Remote: null, "The time that the sender set for delivery (BY=) has passed", Tls: null, "5.4.7")
                {
                    Cause = DeliveryCause.Expired,
                }).ConfigureAwait(false);
        if (HasComeRound(job, hop))
            return await SettleAsync(job, OwnHost.Loop($"it was sent to {hop.Name} before, and has come back")).ConfigureAwait(false);
        ISpoolContent? content = null;
        try
        {
            if (!job.Message.IsRemoved)
                content = await work.Spool.OpenContentAsync(job.Message.Id, work.Abandoned.Token).ConfigureAwait(false);
            if (content is not null)
                return new PreparedJob(job, await DecorateAsync(job.Message, content).ConfigureAwait(false), now, this)
                {
                    Client = ForwardedClient.Of(job.Message.Envelope, hop),
                };
        }
        catch (Exception e)
        {
            content?.Dispose();
            await FailInternallyAsync(job, e).ConfigureAwait(false);
            return null;
        }

        work.Forget(job.Message);
        Due.OnRoom();
        return null;
    }

    /// <summary>Whether the next hop has had the message before, for all recipients of the job. Notes that it gets it now.</summary>
    private bool HasComeRound(DeliveryJob job, NextHop hop)
    {
        var envelope = job.Message.Envelope;
        var count = job.Recipients.IsDefault ? envelope.Recipients.Length : job.Recipients.Length;
        var isRound = envelope.Earlier is not null;
        for (var i = 0; i < count; i++)
        {
            var recipient = envelope.Recipients[job.IndexOf(i)];
            isRound = isRound && work.Sent.Has(envelope.Earlier!.As, recipient, hop);
            work.Sent.Note(envelope.Id, recipient, hop);
        }

        return isRound;
    }

    public async ValueTask RecordAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        try
        {
            Tell(job, outcomes);
            lock (work.Gate)
            {
                for (var i = 0; i < outcomes.Count; i++)
                {
                    if (outcomes[i] is not Outcome.Deferred)
                        job.Message.Outcomes[job.IndexOf(i)] = outcomes[i];
                }
            }

            await StoreDeliveredAsync(job, outcomes).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            work.Tell("delivery-error", $"{job.Message.Id}: {mistake}");
        }
    }

    public async ValueTask CompleteAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        var message = job.Message;
        try
        {
            Tell(job, outcomes);
            bool isLast;
            lock (work.Gate)
            {
                for (var i = 0; i < outcomes.Count; i++)
                    message.Outcomes[job.IndexOf(i)] = outcomes[i];
                isLast = --message.OpenJobs == 0;
            }

            if (isLast)
                await end.EndAsync(message).ConfigureAwait(false);
            else if (outcomes.Any(static o => o is Outcome.Delivered))
                await StoreDeliveredAsync(job, outcomes).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            work.Tell("delivery-error", $"{message.Id}: {mistake}");
            await end.EndByMistakeAsync(message, isOurs: OwnShortage.WordsOf(mistake) is not null).ConfigureAwait(false);
        }
    }

    public ValueTask FailInternallyAsync(DeliveryJob job, Exception mistake)
    {
        var message = job.Message;
        if (OwnShortage.WordsOf(mistake) is { } shortage)
        {
            work.Tell("own_shortage", $"{message.Id}: {shortage}");
            return CompleteAsync(
                job,
                Same(
                    job,
                    new Outcome.Deferred(Remote: null, $"not tried, as this server ran short: {shortage}", Tls: null)
                    {
                        Cause = DeliveryCause.OwnShortage,
                    }));
        }

        work.Tell("delivery-error", $"{message.Id}: {mistake}");
        // Whatever a key, a certificate or the network is like, the message is not at fault: it has its attempts and its time, as with any
        // next hop.
        return CompleteAsync(job, Same(job, OwnShortage.SurroundingsOf(mistake) is { } words
            ? new Outcome.Deferred(Remote: null, words, Tls: null) { Cause = DeliveryCause.OwnSurroundings }
            : new Outcome.Deferred(Remote: null, $"internal error: {mistake.Message}", Tls: null) { Cause = DeliveryCause.Mistake }));
    }

    public ValueTask<bool> TakeBacklogAsync(DestinationQueue queue) => Due.TakeFromShelfAsync(queue);

    public Standing StandingOf(NextHop hop) => Outages.Has(hop) ? Standing.Away : known.Has(hop) ? Standing.Proven : Standing.Unknown;

    public void OnProved(NextHop hop) => known.Add(hop);

    public void OnReached(NextHop hop) => Outages.End(hop);

    public void OnUnreachable(NextHop hop, Outcome.Deferred why) => Outages.Begin(hop, why);

    public Outcome.Deferred? WhyAway(NextHop hop) => Outages.WhyAway(hop);

    public void OnIdle(DestinationQueue queue)
    {
        lock (work.Gate)
            Destinations.Drop(queue);
    }

    /// <summary>One outcome for every recipient of the job.</summary>
    private static Outcome[] Same(DeliveryJob job, Outcome outcome) =>
        Enumerable.Repeat(outcome, job.Recipients.IsDefault ? job.Message.Envelope.Recipients.Length : job.Recipients.Length).ToArray();

    private async ValueTask<PreparedJob?> SettleAsync(DeliveryJob job, Outcome outcome)
    {
        await CompleteAsync(job, Same(job, outcome)).ConfigureAwait(false);
        return null;
    }

    /// <summary>
    /// Tells of delivered and failed recipients as they come, each once; of deferred ones when the time of the next attempt is known.
    /// </summary>
    private void Tell(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        var message = job.Message;
        for (var i = 0; i < outcomes.Count; i++)
        {
            if (outcomes[i] is not Outcome.Deferred && message.Outcomes[job.IndexOf(i)] is null)
                work.Audit.Append(
                    DeliveryEvents.Of(
                        work.Now,
                        message.Envelope,
                        job.IndexOf(i),
                        outcomes[i],
                        work.Options,
                        message.State.Attempts + 1,
                        signedBy: message.SignedBy,
                        sentAs: job.SentAs));
        }
    }

    private ValueTask StoreDeliveredAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        var message = job.Message;
        lock (work.Gate)
        {
            var recipients = message.State.Recipients.ToBuilder();
            for (var i = 0; i < outcomes.Count; i++)
            {
                if (outcomes[i] is Outcome.Delivered delivered)
                    recipients[job.IndexOf(i)] = delivered.ToState(message.State.Attempts + 1);
            }

            message.State = message.State with { TriedAt = work.Now, Recipients = recipients.ToImmutable() };
        }

        return recorder.StoreAsync(message);
    }

    private async ValueTask FillAsync(
        TaskCompletionSource<Decoration> made,
        ImmutableArray<IContentDecorator> decorators,
        Envelope envelope,
        ISpoolContent content)
    {
        try
        {
            made.SetResult(await DecoratedContent.MakeAsync(decorators, envelope, content, work.Abandoned.Token).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            made.SetException(e);
        }
    }

    /// <summary>What is put before the content is made once a message, whichever of its next hops is first.</summary>
    private async ValueTask<ISpoolContent> DecorateAsync(TrackedMessage message, ISpoolContent content)
    {
        var decorators = work.Options.Decorators;
        if (decorators.IsDefaultOrEmpty)
            return content;
        Task<Decoration> made;
        TaskCompletionSource<Decoration>? first = null;
        lock (work.Gate)
            made = message.Decoration ??= (first = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        try
        {
            // Not under the lock: a signature takes as long as a thousand look-ups.
            if (first is not null)
                await FillAsync(first, decorators, message.Envelope, content).ConfigureAwait(false);
            var header = (await made.ConfigureAwait(false)).Fields;
            return header.IsEmpty ? content : new DecoratedContent(header, content);
        }
        catch
        {
            // It is tried again with the next attempt, or by the next hop that asks.
            lock (work.Gate)
                message.Decoration = message.Decoration == made ? null : message.Decoration;
            throw;
        }
    }
}
