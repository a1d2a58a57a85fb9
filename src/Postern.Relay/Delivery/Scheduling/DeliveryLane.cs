namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Takes jobs of one destination, one after another, over one connection. While a message is under way it has taken the next one, if
/// there is one, so that both can share a write. An exception ends one attempt, not the lane.
/// </summary>
internal sealed class DeliveryLane(DestinationQueue queue, IDeliveryLane connection, ILaneHost host, TimeProvider clock)
{
    private TaskCompletionSource work = NewSignal();
    private ITimer? idle;
    private bool isRetired;

    /// <summary>It has not reached the destination yet.</summary>
    public bool IsNew { get; private set; } = true;

    public bool IsConnected => connection.IsConnected;

    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start() => Completion = Task.Run(RunAsync);

    /// <summary>There may be work. Continues on the pool, so that the caller does not.</summary>
    public void Wake() => work.TrySetResult();

    private async Task RunAsync()
    {
        PreparedJob? next = null;
        try
        {
            var goesOn = true;
            while (goesOn && !host.IsStopping && !queue.TryLeave(this))
            {
                var current = next ?? await TakeAsync().ConfigureAwait(false);
                next = null;
                if (current is null)
                {
                    goesOn = await RestAsync().ConfigureAwait(false);
                    continue;
                }

                using (current)
                {
                    next = host.IsStopping ? null : await TakeAsync().ConfigureAwait(false);
                    goesOn = await DeliverAsync(current, next).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            if (next is not null)
            {
                queue.Return(next.Job, refused: false);
                next.Dispose();
            }

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
        }
    }

    /// <summary>Delivers one message and records what it came to; false when the lane should end.</summary>
    private async ValueTask<bool> DeliverAsync(PreparedJob current, PreparedJob? next)
    {
        DeliveryReport report;
        try
        {
            report = await connection.DeliverAsync(current.Message, next?.Message, current, host.Abandoned).ConfigureAwait(false);
            IsNew &= !report.Reached;
        }
        catch (OperationCanceledException) when (host.Stopping.IsCancellationRequested || host.Abandoned.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception mistake)
        {
            await host.FailInternallyAsync(current.Job, mistake).ConfigureAwait(false);
            return false;
        }

        if (report.Reached)
        {
            await host.CompleteAsync(current.Job, report.Outcomes).ConfigureAwait(false);
            host.OnReached(queue.Hop);
            return true;
        }

        if (queue.HasOtherConnection(this))
        {
            // The destination is there and takes no further connection: those that are open will carry this.
            queue.Return(current.Job, refused: true);
            return false;
        }

        await host.CompleteAsync(current.Job, report.Outcomes).ConfigureAwait(false);
        if (report.Outcomes[0] is Outcome.Deferred deferred)
        {
            if (deferred.IsUnreachable)
                host.OnUnreachable(queue.Hop);
            await SuspendAsync(deferred).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Defers all that waits for a destination that cannot be reached, instead of finding that out for each message.</summary>
    private async ValueTask SuspendAsync(Outcome.Deferred why)
    {
        const string Prefix = "delivery suspended: ";
        var outcome = why.IsSuspended ? why : why with { Reply = Prefix + why.Reply, IsSuspended = true, IsVerbatim = false };
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
            if (await host.PrepareAsync(job).ConfigureAwait(false) is { } prepared)
                return prepared;
        }

        return null;
    }

    /// <summary>Waits for work; false when none came in time and the lane is out of service.</summary>
    private async ValueTask<bool> RestAsync()
    {
        if (work.Task.IsCompleted)
            work = NewSignal();
        if (!queue.TryRest(this))
            return true;
        idle ??= clock.CreateTimer(
            static lane => ((DeliveryLane)lane!).OnIdleExpired(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        idle.Change(queue.IdleClose, Timeout.InfiniteTimeSpan);
        await work.Task.ConfigureAwait(false);
        idle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return !isRetired;
    }

    private void OnIdleExpired()
    {
        if (!queue.TryRetire(this))
            return;
        isRetired = true;
        work.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
