using System.Globalization;
using Postern.Relay.Delivery.Shaping;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Takes jobs of one destination, one after another, over one connection. While a message is under way it has taken the next one, if
/// there is one, so that both can share a write; it gives that one back where the first takes long. An exception ends one attempt, not the
/// lane; nobody there to speak to ends it.
/// </summary>
internal sealed class DeliveryLane(
    DestinationQueue queue, LaneBudget.Place place, IDeliveryLane connection, ILaneHost host, TimeProvider clock)
{
    /// <summary>A message that is under way for so long keeps no other from being taken by another lane.</summary>
    private static readonly TimeSpan LongWay = TimeSpan.FromSeconds(1);

    private static readonly Outcome.Deferred CutOff = After(LaneBudget.LongPatience);
    private static readonly Outcome.Deferred CutOffLate = After(LaneBudget.LongestPatience);

    private TaskCompletionSource work = NewSignal();
    private DeliveryJob? current;
    private PreparedJob? next;
    private PreparedJob? givenBack;
    private CancellationTokenSource? patience;
    private ITimer? idle;
    private ITimer? watch;
    private long begunAt;
    private volatile bool isUnderWay;
    private int isWatched;
    private bool isRetired;

    /// <summary>It has not reached the destination yet.</summary>
    public bool IsNew { get; private set; } = true;

    public LaneBudget.Place Place => place;

    /// <summary>Messages that it has taken to the destination.</summary>
    public int Carried { get; private set; }

    /// <summary>Another destination waits for a connection to the same host.</summary>
    public bool IsWanted => connection.IsWanted;

    public bool IsConnected => connection.IsConnected;

    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start()
    {
        connection.WhenWanted = TryRetire;
        connection.Admits = host => current is { } job ? queue.Admit(job, host) : null;
        patience = CancellationTokenSource.CreateLinkedTokenSource(host.Stopping);
        place.Cut = LosePatience;
        Completion = Task.Run(RunAsync);
    }

    /// <summary>There may be work. Continues on the pool, so that the caller does not.</summary>
    public void Wake() => work.TrySetResult();

    /// <summary>It has been taken out of service: nothing more will come.</summary>
    public void Retire()
    {
        isRetired = true;
        work.TrySetResult();
    }

    private void LosePatience()
    {
        try
        {
            _ = patience!.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself meanwhile.
        }
    }

    private async Task RunAsync()
    {
        try
        {
            var goesOn = true;
            while (goesOn && !host.IsStopping && !queue.TryLeave(this))
            {
                var taken = Interlocked.Exchange(ref next, null) ?? await TakeAsync().ConfigureAwait(false);
                if (taken is null)
                {
                    goesOn = await RestAsync().ConfigureAwait(false);
                    continue;
                }

                if (connection.Room > 1)
                {
                    goesOn = await DeliverTogetherAsync(taken).ConfigureAwait(false);
                    continue;
                }

                using (taken)
                {
                    current = taken.Job;
                    // Where nobody answered last, one is tried for all; and where nobody knows yet what is to be waited for.
                    var isAlone = host.IsStopping || (IsNew && (place.Standing == Standing.Away || queue.IsHostUnknown));
                    next = isAlone ? null : await TakeAsync().ConfigureAwait(false);
                    goesOn = await DeliverAsync(taken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            if (watch is not null)
                await watch.DisposeAsync().ConfigureAwait(false);
            GiveNextBack();
            Interlocked.Exchange(ref givenBack, null)?.Dispose();
            if (idle is not null)
                await idle.DisposeAsync().ConfigureAwait(false);
            try
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Whatever saying goodbye came to: nothing is under way any more, and the place of this lane is free.
            }

            queue.OnLaneEnded(this);
            patience!.Dispose();
        }
    }

    /// <summary>
    /// Delivers a message and some of those behind it at once: no more than its share of what waits, as what is sent cannot be given to
    /// another lane any more. False when the lane should end.
    /// </summary>
    private async ValueTask<bool> DeliverTogetherAsync(PreparedJob first)
    {
        var begun = clock.GetTimestamp();
        var most = Math.Min(connection.Room, queue.ShareOfEach + 1);
        using var group = new JobGroup(queue, host);
        group.Add(first);
        try
        {
            while (group.Count < most && !host.IsStopping && await TakeAsync().ConfigureAwait(false) is { } another)
                group.Add(another);
            if (!await group.DeliverAsync(connection).ConfigureAwait(false))
                return await DeliverAsync(first).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (host.Stopping.IsCancellationRequested || host.Abandoned.IsCancellationRequested)
        {
            return false;
        }

        var reports = group.Reports;
        if (reports.Count == 0)
            return true;
        Carried += reports.Count;
        queue.OnDelivered(begun, reports.Count);
        host.OnReached(queue.Hop);
        return reports.All(static r => !r.Suspends) || await GoesOnAsync(reports.SelectMany(static r => r.Outcomes)).ConfigureAwait(false);
    }

    /// <summary>Delivers one message and records what it came to; false when the lane should end.</summary>
    private async ValueTask<bool> DeliverAsync(PreparedJob current)
    {
        // A message of its own hour to where nobody was a moment ago: those who look now and then will call it.
        if (IsNew && current.Job.Message.State.Attempts > 0 && host.WhyAway(queue.Hop) is { } away)
        {
            GiveNextBack();
            queue.Return(current.Job);
            await SuspendAsync(away).ConfigureAwait(false);
            return false;
        }

        DeliveryReport report;
        var begun = begunAt = clock.GetTimestamp();
        try
        {
            Watch();
            var message = IsNew ? current.Message with { Revoked = patience!.Token } : current.Message;
            report = await connection.DeliverAsync(message, next?.Message, current, host.Abandoned).ConfigureAwait(false);
            isUnderWay = false;
            // Whatever is sent ahead of it, it is another lane's now.
            Interlocked.Exchange(ref givenBack, null)?.Dispose();
        }
        catch (OperationCanceledException) when (host.Stopping.IsCancellationRequested || host.Abandoned.IsCancellationRequested)
        {
            return false;
        }
        catch (OperationCanceledException) when (patience!.IsCancellationRequested)
        {
            isUnderWay = false;
            var cut = clock.GetElapsedTime(place.Since) < LaneBudget.LongestPatience ? CutOff : CutOffLate;
            report = new DeliveryReport(Enumerable.Repeat<Outcome>(cut, current.Message.Recipients.Length).ToArray(), Reached: false);
        }
        catch (Exception mistake)
        {
            isUnderWay = false;
            await host.FailInternallyAsync(current.Job, mistake).ConfigureAwait(false);
            return false;
        }

        return report.Reached
            ? await OnReachedAsync(current.Job, report, begun).ConfigureAwait(false)
            : await OnNotReachedAsync(current.Job, report).ConfigureAwait(false);
    }

    /// <summary>Somebody answered; false when the lane should end.</summary>
    private async ValueTask<bool> OnReachedAsync(DeliveryJob job, DeliveryReport report, long begun)
    {
        Carried++;
        if (IsNew)
        {
            IsNew = false;
            queue.OnProved(this);
        }
        else
        {
            queue.OnDelivered(begun);
        }

        await host.CompleteAsync(job, report.Outcomes).ConfigureAwait(false);
        host.OnReached(queue.Hop);
        return !report.Suspends || await GoesOnAsync(report.Outcomes).ConfigureAwait(false);
    }

    /// <summary>Other messages would fare as these did: what was deferred says how. False when the lane should end.</summary>
    private async ValueTask<bool> GoesOnAsync(IEnumerable<Outcome> outcomes)
    {
        if (outcomes.OfType<Outcome.Deferred>().FirstOrDefault() is not { } enough)
            return true;
        GiveNextBack();
        await SuspendAsync(enough).ConfigureAwait(false);
        return false;
    }

    /// <summary>Nobody was spoken to about the message; false when the lane should end.</summary>
    private async ValueTask<bool> OnNotReachedAsync(DeliveryJob job, DeliveryReport report)
    {
        if (report.Turn is { } turn)
        {
            GiveNextBack();
            queue.Return(job);
            if (turn is RateTurn)
                return false;
            if (queue.HasOtherConnection(this))
                queue.OnRefused(turn);
            else
                queue.Await(turn);
            return false;
        }

        if (queue.HasOtherConnection(this))
        {
            // The destination is there and takes no further connection: those that are open will carry this.
            queue.OnRefused(why: null);
            queue.Return(job);
            return false;
        }

        queue.Refund(job);
        await host.CompleteAsync(job, report.Outcomes).ConfigureAwait(false);
        if (report.Outcomes[0] is not Outcome.Deferred deferred)
            return true;
        if (deferred.IsUnreachable)
            host.OnUnreachable(queue.Hop, deferred);
        GiveNextBack();
        await SuspendAsync(deferred).ConfigureAwait(false);
        return false;
    }

    /// <summary>The message that follows is given back where the one under way takes long: another lane may have it.</summary>
    private void Watch()
    {
        if (next is null)
            return;
        isUnderWay = true;
        SetWatch();
    }

    private void SetWatch()
    {
        if (Interlocked.Exchange(ref isWatched, 1) != 0)
            return;
        watch ??= clock.CreateTimer(
            static lane => ((DeliveryLane)lane!).OnWatch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        watch.Change(LongWay, Timeout.InfiniteTimeSpan);
    }

    private void OnWatch()
    {
        if (isUnderWay && clock.GetElapsedTime(begunAt) >= LongWay && GiveNextBack())
            queue.Grow();
        Interlocked.Exchange(ref isWatched, 0);
        // The one that is under way now began later.
        if (isUnderWay && next is not null)
            SetWatch();
    }

    private bool GiveNextBack()
    {
        if (Interlocked.Exchange(ref next, null) is not { } job)
            return false;
        // Its content stays open until the lane does not look at it any more.
        Interlocked.Exchange(ref givenBack, job)?.Dispose();
        queue.Return(job.Job);
        return true;
    }

    /// <summary>Defers all that waits for a destination that cannot be reached, instead of finding that out for each message.</summary>
    private async ValueTask SuspendAsync(Outcome.Deferred why)
    {
        var outcome = why.ForOthers();
        do
        {
            foreach (var batch in queue.Drain().Chunk(256))
            {
                await Task.WhenAll(batch.Select(job =>
                    host.CompleteAsync(
                        job,
                        Enumerable.Repeat<Outcome>(
                            outcome, job.Recipients.IsDefault ? job.Message.Envelope.Recipients.Length : job.Recipients.Length).ToArray())
                            .AsTask()))
                    .ConfigureAwait(false);
            }
        }
        while (await host.TakeBacklogAsync(queue).ConfigureAwait(false));
    }

    private async ValueTask<PreparedJob?> TakeAsync()
    {
        while (queue.TryTake(out var job))
        {
            if (await host.PrepareAsync(job, queue.Hop).ConfigureAwait(false) is { } prepared)
                return prepared;
        }

        return null;
    }

    /// <summary>Waits for work; false when none came in time and the lane is out of service.</summary>
    private async ValueTask<bool> RestAsync()
    {
        if (work.Task.IsCompleted)
            work = NewSignal();
        // Without a connection there is nothing to keep, and its place may be needed.
        if (!connection.IsConnected)
            return false;
        if (!queue.TryRest(this))
            return true;
        if ((queue.IsPlaceWanted || connection.IsWanted || connection.IsShared) && queue.TryRetire(this))
            return false;
        idle ??= clock.CreateTimer(
            static lane => ((DeliveryLane)lane!).OnIdleExpired(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var rest = queue.IdleClose;
        if (rest == TimeSpan.Zero && queue.TryRetire(this))
            return false;
        idle.Change(rest, Timeout.InfiniteTimeSpan);
        await work.Task.ConfigureAwait(false);
        idle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return !isRetired;
    }

    private void OnIdleExpired() => TryRetire();

    /// <summary>Ends where it waits for work.</summary>
    private bool TryRetire()
    {
        if (!queue.TryRetire(this))
            return false;
        Retire();
        return true;
    }

    private static Outcome.Deferred After(TimeSpan patience) => new(
        Remote: null,
        string.Create(
            CultureInfo.InvariantCulture,
            $"no answer within {patience.TotalSeconds:0} s, and too many other destinations wait that may answer"),
        Tls: null)
    {
        Cause = DeliveryCause.Unreachable,
        Phase = DeliveryPhase.Connect,
        IsUnreachable = true,
    };

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
