using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Claims what is due, as much as there is room for at work. What is for destinations that have enough waiting already is put on a shelf of
/// the spool and asked for there later, so that it stands before nothing else; so is what is for destinations that may not answer, where
/// there is as much of that at work as may be. One look at a time; with a spool that answers at once it is made on the caller's thread.
/// </summary>
internal sealed class DueMail : IAsyncDisposable
{
    private const int Batch = 256;
    private const int Turns = 4;
    private const int ManyShelves = 8;

    /// <summary>So many are put off at a time before the disk is waited for.</summary>
    private const int MostPuttingOff = 1_024;

    /// <summary>Where mail waits that <see cref="Doubt"/> is about, by that.</summary>
    private static readonly string?[] CrowdShelves = [null, "may not answer, new", "may not answer, tried"];

    /// <summary>Many shelves are looked at so often at least.</summary>
    private static readonly TimeSpan ShelfPause = TimeSpan.FromSeconds(1);

    /// <summary>After a look that failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly DeliveryWork work;
    private readonly Destinations destinations;
    private readonly Timekeeper time;
    private readonly GatheredReports gathered;
    private readonly HashSet<IShelf> shelves = [];
    private readonly bool[] isCrowded = new bool[CrowdShelves.Length];
    private readonly Alarm alarm;
    private readonly ITimer renewal;
    private Task looking = Task.CompletedTask;
    private bool isLooking;
    private bool isWanted;
    private int ended;
    private int puttingOff;
    private long shelvesSeenAt;
    private long beatAt;
    private volatile bool areShelvesWanted;
    private volatile bool isFull;

    public DueMail(DeliveryWork work, Destinations destinations, Timekeeper time)
    {
        (this.work, this.destinations, this.time) = (work, destinations, time);
        gathered = new GatheredReports(work);
        alarm = new Alarm(work.Clock, Wake);
        shelvesSeenAt = work.Clock.GetTimestamp();
        renewal = work.Clock.CreateTimer(
            static due => _ = ((DueMail)due!).RenewAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gives up recipients of a message that is at work by then. Nothing waits for it.</summary>
    public Func<TrackedMessage, ReturnOrder, Task> GiveUp { private get; init; } = static (_, _) => Task.CompletedTask;

    /// <summary>Ends the attempt of a message that has its outcomes without being tried.</summary>
    public Func<TrackedMessage, Task> PutOff { private get; init; } = static _ => Task.CompletedTask;

    /// <summary>Puts others in the place of recipients that stand for them; null where nobody does.</summary>
    public Expander? Expander { private get; init; }

    /// <summary>Once, when <see cref="DeliveryWork.Claims"/> is there.</summary>
    public void Start()
    {
        renewal.Change(work.Claims.Lease / 3, Timeout.InfiniteTimeSpan);
        Wake();
    }

    /// <summary>How long a look that is under way has got no further; nothing while none is.</summary>
    public TimeSpan Silence
    {
        get
        {
            lock (gate)
                return isLooking ? work.Clock.GetElapsedTime(Volatile.Read(ref beatAt)) : TimeSpan.Zero;
        }
    }

    /// <summary>There may be room for what stands on shelves.</summary>
    private void WakeForShelves()
    {
        areShelvesWanted = true;
        Wake();
    }

    /// <summary>Something is due.</summary>
    public void Wake()
    {
        lock (gate)
        {
            isWanted = true;
            if (isLooking || work.IsStopping || work.Claims is null)
                return;
            isLooking = true;
            Volatile.Write(ref beatAt, work.Clock.GetTimestamp());
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
            || (count > 0 && Interlocked.Increment(ref ended) % Math.Max(1, count / ManyShelves) == 0)
            || HasRoomForCrowd(Doubt.New)
            || HasRoomForCrowd(Doubt.Tried))
            WakeForShelves();
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
        List<IShelf> all;
        lock (work.Gate)
        {
            all = [.. shelves];
            shelves.Clear();
        }

        foreach (var queue in all)
            await work.Claims.ClearShelfAsync(queue.Shelf, CancellationToken.None).ConfigureAwait(false);
        foreach (var shelf in CrowdShelves.OfType<string>())
            await work.Claims.ClearShelfAsync(shelf, CancellationToken.None).ConfigureAwait(false);
        WakeForShelves();
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
        // A look at thousands of shelves for each message that comes would cost more than the message.
        if (shelves.Count <= ManyShelves || areShelvesWanted || work.Clock.GetElapsedTime(shelvesSeenAt) >= ShelfPause)
            await ClaimShelvesAsync(settings).ConfigureAwait(false);
        for (var turn = 1; ; turn++)
        {
            // The thread that woke this, often the committer, is given back before a long backlog is worked off.
            if (turn % Turns == 0)
                await Task.Yield();
            var look = await TakeDueAsync(settings).ConfigureAwait(false);
            if (look.IsMore && !gathered.IsFull)
                continue;
            await SendGatheredAsync(settings).ConfigureAwait(false);
            if (look.IsMore)
                continue;
            if (isFull)
                return;
            if (shelves.Count > ManyShelves && !(look.Next - work.Now < ShelfPause))
                alarm.Set(ShelfPause);
            else if (look.Next is { } next)
                alarm.Set(next);
            return;
        }
    }

    /// <summary>A batch of what is due by itself, new mail among it: as much as there is room for.</summary>
    private async ValueTask<(bool IsMore, DateTimeOffset? Next)> TakeDueAsync(int clockSettings)
    {
        int most;
        lock (work.Gate)
            most = Math.Min(Batch, work.Options.MessagesAtWork - work.Messages.Count);
        isFull = most <= 0;
        if (isFull)
            return (IsMore: false, Next: null);
        var batch = await work.Claims.ClaimDueAsync(work.Now, most, shelf: null, work.Stopping.Token).ConfigureAwait(false);
        Volatile.Write(ref beatAt, work.Clock.GetTimestamp());
        foreach (var claim in batch.Claims)
            await TakeAsync(claim, clockSettings, mayWait: true).ConfigureAwait(false);
        return (batch.Claims.Count == most, batch.Next);
    }

    /// <summary>
    /// What comes off shelves may be put off by the hundred thousand, and takes no room then: new mail does not wait for the end of it.
    /// </summary>
    /// <param name="taken">Off shelves, since this last looked.</param>
    private async ValueTask<int> LookBetweenAsync(int taken, int clockSettings)
    {
        if (taken < Batch)
            return taken;
        await Task.Yield();
        await TakeDueAsync(clockSettings).ConfigureAwait(false);
        if (gathered.IsFull)
            await SendGatheredAsync(clockSettings).ConfigureAwait(false);
        return 0;
    }

    /// <summary>Reports that waited for others go out in one message; that one is due by itself.</summary>
    private async ValueTask SendGatheredAsync(int clockSettings)
    {
        if (gathered.IsEmpty)
            return;
        foreach (var report in await gathered.SendAsync().ConfigureAwait(false))
            await DispatchAsync(report, clockSettings, mayWait: true).ConfigureAwait(false);
    }

    private async ValueTask ClaimShelvesAsync(int clockSettings)
    {
        areShelvesWanted = false;
        shelvesSeenAt = work.Clock.GetTimestamp();
        List<(IShelf Queue, int Room)> open;
        lock (work.Gate)
            open = [.. shelves.Select(queue => (Queue: queue, Room: destinations.RoomOf(queue))).Where(static s => s.Room > s.Queue.Waiting)
                .OrderBy(static s => s.Queue.Waiting)];
        var taken = 0;
        foreach (var (queue, room) in open)
        {
            if (work.Messages.Count >= work.Options.MessagesAtWork)
                break;
            taken = await LookBetweenAsync(taken, clockSettings).ConfigureAwait(false);
            taken += await ClaimShelfAsync(queue, Math.Min(room, Batch)).ConfigureAwait(false);
        }

        if (!isCrowded[(int)Doubt.New] && !isCrowded[(int)Doubt.Tried])
            return;
        await ClaimCrowdAsync(Doubt.New, clockSettings).ConfigureAwait(false);
        await ClaimCrowdAsync(Doubt.Tried, clockSettings).ConfigureAwait(false);
        TellOfCrowd();
    }

    /// <summary>Connections that get nowhere end for what waits.</summary>
    private void TellOfCrowd() => destinations.Crowd(isCrowded[(int)Doubt.New], isCrowded[(int)Doubt.Tried]);

    /// <summary>What waits as there was as much of it at work as may be, in the order in which it came.</summary>
    private async ValueTask ClaimCrowdAsync(Doubt doubt, int clockSettings)
    {
        var (most, taken) = (0, 0);
        while (TryTakeRoom())
        {
            var batch = await work.Claims.ClaimDueAsync(work.Now, most, CrowdShelves[(int)doubt], work.Stopping.Token)
                .ConfigureAwait(false);
            if (batch.Claims.Count == most)
            {
                lock (work.Gate)
                    isCrowded[(int)doubt] = true;
            }

            foreach (var claim in batch.Claims)
                await TakeAsync(claim, clockSettings, mayWait: true, isOfCrowd: true).ConfigureAwait(false);
            taken = await LookBetweenAsync(taken + batch.Claims.Count, clockSettings).ConfigureAwait(false);
        }

        bool TryTakeRoom()
        {
            lock (work.Gate)
            {
                most = Math.Min(
                    Batch, Math.Min(destinations.RoomFor(doubt), work.Options.MessagesAtWork - work.Messages.Count));
                if (!isCrowded[(int)doubt] || most <= 0 || work.IsStopping)
                    return false;
                // Before it is asked for: what is put there meanwhile is known then.
                isCrowded[(int)doubt] = false;
                return true;
            }
        }
    }

    private bool HasRoomForCrowd(Doubt doubt) =>
        isCrowded[(int)doubt] && destinations.RoomFor(doubt) >= Math.Max(1, work.Options.MessagesAtWork / 32);

    private async ValueTask<int> ClaimShelfAsync(IShelf queue, int most)
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

    private async ValueTask TakeAsync(SpoolClaim claim, int clockSettings, bool mayWait, bool isOfCrowd = false)
    {
        var message = work.Track(claim);
        if (message.State.Return is { } order && !work.IsStopping)
        {
            message.BegunUnder = clockSettings;
            message.Outcomes = new Outcome?[message.Envelope.Recipients.Length];
            lock (work.Gate)
                work.Begin(message);
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

        // Whoever had it stored the report of its last attempt, and with it what that came to, and got no further; or what its recipients
        // stand for.
        if (message.State.Recipients[0].Status != RecipientStatus.Pending && message.State.IsFinished)
        {
            if (await work.Claims.EndAsync(claim, message.State with { HasEnded = true }, CancellationToken.None)
                .ConfigureAwait(false) == SpoolClaim.Answer.Done)
                work.Ended.Add(claim.Entry);
            return;
        }

        if (Expander?.Wants(message) == true && !work.IsStopping && !work.Options.Routes.Holds)
        {
            message.BegunUnder = clockSettings;
            message.Outcomes = new Outcome?[message.Envelope.Recipients.Length];
            lock (work.Gate)
            {
                if (message.Known is { } known)
                    known.Hold = null;
                work.Begin(message);
            }

            _ = Task.Run(() => Expander.ExpandAsync(message), CancellationToken.None);
            return;
        }

        // Those of a shelf have no room for others: each goes by itself.
        if (!mayWait || !gathered.TryTake(message))
            await DispatchAsync(message, clockSettings, mayWait, isOfCrowd).ConfigureAwait(false);
    }

    private async ValueTask DispatchAsync(TrackedMessage message, int clockSettings, bool mayWait, bool isOfCrowd = false)
    {
        bool isPutOff;
        Lack? lack;
        lock (work.Gate)
        {
            lack = LackOf(message, clockSettings, mayWait, isOfCrowd, out isPutOff);
            if (lack is null)
                Begin(message, clockSettings, isPutOff);
        }

        if (lack is { } what)
            await SetAsideAsync(message, what).ConfigureAwait(false);
        else if (isPutOff)
            await PutOffAsync(message).ConfigureAwait(false);
    }

    /// <summary>With the gate held: why there is no attempt now; null where there is one.</summary>
    /// <param name="isPutOff">What comes of it is known without it, and its outcomes are set.</param>
    private Lack? LackOf(TrackedMessage message, int clockSettings, bool mayWait, bool isOfCrowd, out bool isPutOff)
    {
        isPutOff = false;
        if (work.IsStopping || work.Options.Routes.Holds)
            return default(Lack);
        if (work.Suspensions.HoldsAll(message.Envelope, message.State))
            return new Lack { IsSuspended = true };
        isPutOff = destinations.TryPutOff(message, clockSettings);
        if (isPutOff)
            return null;
        if (mayWait && destinations.WhereFull(message) is { } full)
            return new Lack { Full = full };
        message.Doubt = destinations.DoubtOf(message);
        return mayWait && !HasRoom(message.Doubt, isOfCrowd) ? new Lack { Doubt = message.Doubt } : null;
    }

    /// <summary>With the gate held.</summary>
    private void Begin(TrackedMessage message, int clockSettings, bool isPutOff)
    {
        if (message.Known is { } known)
            known.Hold = null;
        work.Begin(message);
        if (!isPutOff)
            destinations.Dispatch(message, clockSettings);
    }

    /// <summary>Gives a message back, on the shelf of what it waits for.</summary>
    private async ValueTask SetAsideAsync(TrackedMessage message, Lack lack)
    {
        var shelf = lack.IsSuspended ? Suspensions.Shelf : lack.Full?.Shelf ?? CrowdShelves[(int)lack.Doubt];
        await work.ReleaseAsync(message, shelf).ConfigureAwait(false);
        // It may have been resumed before it was on that shelf.
        if (lack.IsSuspended && !work.Suspensions.HoldsAll(message.Envelope, message.State))
            await work.Claims.ClearShelfAsync(Suspensions.Shelf, CancellationToken.None).ConfigureAwait(false);
        // Known as filled once it is, and not before: a lane that empties it meanwhile would take it for empty. And it may have got room
        // meanwhile.
        var (hasRoom, isCrowdNew) = (false, false);
        lock (work.Gate)
        {
            if (lack.Full is { } full)
            {
                shelves.Add(full);
                hasRoom = destinations.RoomOf(full) > full.Waiting;
            }
            else if (lack.Doubt != Doubt.None)
            {
                isCrowdNew = !isCrowded[(int)lack.Doubt];
                isCrowded[(int)lack.Doubt] = true;
                hasRoom = HasRoomForCrowd(lack.Doubt);
            }
        }

        if (isCrowdNew)
            TellOfCrowd();
        if (hasRoom)
            WakeForShelves();
    }

    /// <summary>With the gate held: those that wait already come first.</summary>
    private bool HasRoom(Doubt doubt, bool isOfCrowd) =>
        doubt == Doubt.None || (destinations.RoomFor(doubt) > 0 && (isOfCrowd || !isCrowded[(int)doubt]));

    /// <summary>Each writes its state, many at a time; where the disk does not keep up, it is waited for.</summary>
    private async ValueTask PutOffAsync(TrackedMessage message)
    {
        var writing = WriteAsync();
        if (Volatile.Read(ref puttingOff) >= MostPuttingOff)
            await writing.ConfigureAwait(false);

        async Task WriteAsync()
        {
            Interlocked.Increment(ref puttingOff);
            try
            {
                await PutOff(message).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Decrement(ref puttingOff);
            }
        }
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

    /// <summary>What a message waits for; nothing set where nothing is sent at all.</summary>
    private readonly record struct Lack(IShelf? Full, Doubt Doubt, bool IsSuspended);
}
