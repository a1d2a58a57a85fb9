using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Claims what is due, as much as there is room for at work. What is for destinations that have enough waiting already is put on a shelf of
/// the spool and asked for there later, so that it stands before nothing else. One look at a time; with a spool that answers at once it is
/// made on the caller's thread.
/// </summary>
internal sealed class DueMail : IAsyncDisposable
{
    private const int Batch = 256;
    private const int Turns = 4;
    private const int ManyShelves = 8;

    /// <summary>Many shelves are looked at so often at least.</summary>
    private static readonly TimeSpan ShelfPause = TimeSpan.FromSeconds(1);

    /// <summary>After a look that failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly DeliveryWork work;
    private readonly Destinations destinations;
    private readonly Timekeeper time;
    private readonly GatheredReports gathered;
    private readonly HashSet<DestinationQueue> shelves = [];
    private readonly Alarm alarm;
    private readonly ITimer renewal;
    private Task looking = Task.CompletedTask;
    private bool isLooking;
    private bool isWanted;
    private int ended;
    private volatile bool isFull;

    public DueMail(DeliveryWork work, Destinations destinations, Timekeeper time)
    {
        (this.work, this.destinations, this.time) = (work, destinations, time);
        gathered = new GatheredReports(work);
        alarm = new Alarm(work.Clock, Wake);
        renewal = work.Clock.CreateTimer(
            static due => _ = ((DueMail)due!).RenewAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gives up recipients of a message that is at work by then. Nothing waits for it.</summary>
    public Func<TrackedMessage, ReturnOrder, Task> GiveUp { private get; init; } = static (_, _) => Task.CompletedTask;

    /// <summary>Once, when <see cref="DeliveryWork.Claims"/> is there.</summary>
    public void Start()
    {
        renewal.Change(work.Claims.Lease / 3, Timeout.InfiniteTimeSpan);
        Wake();
    }

    /// <summary>Something is due, or there may be room for it.</summary>
    public void Wake()
    {
        lock (gate)
        {
            isWanted = true;
            if (isLooking || work.IsStopping || work.Claims is null)
                return;
            isLooking = true;
        }

        var task = LookAsync();
        lock (gate)
            looking = task;
    }

    /// <summary>Work has come to an end: there is room again.</summary>
    public void OnRoom()
    {
        var count = shelves.Count;
        // With very many shelves a look at all of them for each message would cost more than the message.
        if ((isFull && work.Messages.Count <= work.Options.MessagesAtWork * 7 / 8)
            || (count > 0 && Interlocked.Increment(ref ended) % Math.Max(1, count / ManyShelves) == 0))
            Wake();
    }

    /// <summary>Takes more of what waits on the shelf of a destination, whatever room there is; false when there is nothing.</summary>
    public async ValueTask<bool> TakeFromShelfAsync(DestinationQueue queue)
    {
        bool isShelved;
        lock (work.Gate)
            isShelved = shelves.Contains(queue);
        return isShelved && !work.IsStopping && await ClaimShelfAsync(queue, Batch).ConfigureAwait(false) > 0;
    }

    /// <summary>Destinations are suspended no more: what waited for that is looked at again.</summary>
    public async ValueTask ClearSuspendedAsync()
    {
        await work.Claims.ClearShelfAsync(Suspensions.Shelf, CancellationToken.None).ConfigureAwait(false);
        Wake();
    }

    /// <summary>All that is on a shelf is due without it: there are new routes.</summary>
    public async ValueTask ClearShelvesAsync()
    {
        List<DestinationQueue> all;
        lock (work.Gate)
        {
            all = [.. shelves];
            shelves.Clear();
        }

        foreach (var queue in all)
            await work.Claims.ClearShelfAsync(queue.Shelf, CancellationToken.None).ConfigureAwait(false);
        Wake();
    }

    public async ValueTask DisposeAsync()
    {
        await alarm.DisposeAsync().ConfigureAwait(false);
        await renewal.DisposeAsync().ConfigureAwait(false);
        Task last;
        lock (gate)
            last = looking;
        await last.ConfigureAwait(false);
    }

    private async Task LookAsync()
    {
        while (IsWanted())
        {
            try
            {
                await ClaimAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (work.IsStopping)
            {
            }
            catch (Exception mistake)
            {
                work.Tell("delivery-error", $"what is due cannot be claimed: {mistake}");
                alarm.Set(Patience);
            }
        }
    }

    private bool IsWanted()
    {
        lock (gate)
        {
            isLooking = isWanted && !work.IsStopping;
            isWanted = false;
            return isLooking;
        }
    }

    private async ValueTask ClaimAsync()
    {
        var settings = await time.LookAsync().ConfigureAwait(false);
        if (work.Options.Routes.Holds)
            return;
        List<(DestinationQueue Queue, int Room)> open;
        lock (work.Gate)
            open = [.. shelves.Select(queue => (Queue: queue, Room: destinations.RoomOf(queue))).Where(static s => s.Room > s.Queue.Waiting)
                .OrderBy(static s => s.Queue.Waiting)];
        foreach (var (queue, room) in open)
        {
            if (work.Messages.Count >= work.Options.MessagesAtWork)
                break;
            await ClaimShelfAsync(queue, Math.Min(room, Batch)).ConfigureAwait(false);
        }

        for (var turn = 1; ; turn++)
        {
            // The thread that woke this, often the committer, is given back before a long backlog is worked off.
            if (turn % Turns == 0)
                await Task.Yield();
            int most;
            lock (work.Gate)
                most = Math.Min(Batch, work.Options.MessagesAtWork - work.Messages.Count);
            isFull = most <= 0;
            if (isFull)
            {
                await SendGatheredAsync(settings).ConfigureAwait(false);
                return;
            }

            var batch = await work.Claims.ClaimDueAsync(work.Now, most, shelf: null, work.Stopping.Token).ConfigureAwait(false);
            foreach (var claim in batch.Claims)
                await TakeAsync(claim, settings, mayWait: true).ConfigureAwait(false);
            if (batch.Claims.Count == most && !gathered.IsFull)
                continue;
            await SendGatheredAsync(settings).ConfigureAwait(false);
            if (batch.Claims.Count == most)
                continue;
            if (shelves.Count > ManyShelves && !(batch.Next - work.Now < ShelfPause))
                alarm.Set(ShelfPause);
            else if (batch.Next is { } next)
                alarm.Set(next);
            return;
        }
    }

    /// <summary>Reports that waited for others go out in one message; that one is due by itself.</summary>
    private async ValueTask SendGatheredAsync(int clockSettings)
    {
        if (gathered.IsEmpty)
            return;
        foreach (var report in await gathered.SendAsync().ConfigureAwait(false))
            await DispatchAsync(report, clockSettings, mayWait: true).ConfigureAwait(false);
    }

    private async ValueTask<int> ClaimShelfAsync(DestinationQueue queue, int most)
    {
        lock (work.Gate)
            shelves.Remove(queue);
        var batch = await work.Claims.ClaimDueAsync(work.Now, most, queue.Shelf, work.Stopping.Token).ConfigureAwait(false);
        if (batch.Claims.Count == most)
        {
            lock (work.Gate)
                shelves.Add(queue);
        }

        foreach (var claim in batch.Claims)
            await TakeAsync(claim, time.Settings, mayWait: false).ConfigureAwait(false);
        return batch.Claims.Count;
    }

    private async ValueTask TakeAsync(SpoolClaim claim, int clockSettings, bool mayWait)
    {
        var message = work.Track(claim);
        if (message.State.Return is { } order && !work.IsStopping)
        {
            message.BegunUnder = clockSettings;
            message.Outcomes = new Outcome?[message.Envelope.Recipients.Length];
            lock (work.Gate)
                work.Messages.Add(message.Id, message);
            // Each writes a report and waits for the disk: the due mail of others does not wait for that.
            _ = Task.Run(() => GiveUp(message, order), CancellationToken.None);
            return;
        }

        if (message is { Known.Hold: { HasJumped: true } hold, State.Attempts: 0 } && hold.EndAfterJump() is var until && until > work.Now)
        {
            await work.ReleaseAsync(message, shelf: null).ConfigureAwait(false);
            await work.Spool.RescheduleAsync([message.Id], until, CancellationToken.None).ConfigureAwait(false);
            return;
        }

        // Whoever had it stored the report of its last attempt, and with it what that came to, and got no further.
        if (message.State is { Attempts: > 0, IsFinished: true })
        {
            if (await work.Claims.EndAsync(claim, message.State with { HasEnded = true }, CancellationToken.None)
                .ConfigureAwait(false) == SpoolClaim.Answer.Done)
                work.Ended.Add(claim.Entry);
            return;
        }

        // Those of a shelf have no room for others: each goes by itself.
        if (!mayWait || !gathered.TryTake(message))
            await DispatchAsync(message, clockSettings, mayWait).ConfigureAwait(false);
    }

    private async ValueTask DispatchAsync(TrackedMessage message, int clockSettings, bool mayWait)
    {
        DestinationQueue? full = null;
        bool isSuspended;
        lock (work.Gate)
        {
            var isHeld = work.IsStopping || work.Options.Routes.Holds;
            isSuspended = !isHeld && work.Suspensions.HoldsAll(message.Envelope, message.State);
            full = mayWait && !isHeld && !isSuspended ? destinations.WhereFull(message) : null;
            if (!isHeld && !isSuspended && full is null)
            {
                if (message.Known is { } known)
                    known.Hold = null;
                work.Messages.Add(message.Id, message);
                destinations.Dispatch(message, clockSettings);
                return;
            }
        }

        await work.ReleaseAsync(message, isSuspended ? Suspensions.Shelf : full?.Shelf).ConfigureAwait(false);
        // It may have been resumed before it was on that shelf.
        if (isSuspended && !work.Suspensions.HoldsAll(message.Envelope, message.State))
            await work.Claims.ClearShelfAsync(Suspensions.Shelf, CancellationToken.None).ConfigureAwait(false);
        if (full is null)
            return;
        // Known as filled once it is, and not before: a lane that empties it meanwhile would take it for empty. And it may have got room
        // meanwhile.
        bool hasRoom;
        lock (work.Gate)
        {
            shelves.Add(full);
            hasRoom = destinations.RoomOf(full) > full.Waiting;
        }

        if (hasRoom)
            Wake();
    }

    private async Task RenewAsync()
    {
        try
        {
            await work.Claims.RenewAsync(work.Stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (work.IsStopping)
        {
            return;
        }
        catch (Exception mistake)
        {
            work.Tell("delivery-error", $"the claims on what is being delivered cannot be renewed: {mistake.Message}");
        }

        renewal.Change(work.Claims.Lease / 3, Timeout.InfiniteTimeSpan);
    }
}
