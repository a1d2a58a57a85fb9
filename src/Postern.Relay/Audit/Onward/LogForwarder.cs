using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// Sends every line of the log files on to somebody, who may be away: the files keep what he has not had, and he is caught up from where
/// he was (<see cref="LogPlace"/>), over restarts too. Nobody waits for him, and no more is in memory than what is sent at once. What
/// may not have got there when a way broke is sent again, so a line may come twice, with the same id; what was deleted before he had it is
/// a gap, which is told with its octets.
/// </summary>
internal sealed class LogForwarder : IAsyncDisposable
{
    /// <summary>Things to tell that wait for the writing task.</summary>
    private const int MostNews = 16;

    private readonly CancellationTokenSource end = new();
    private readonly CancellationTokenSource hurry = new();
    private readonly SemaphoreSlim wake = new(initialCount: 0);
    private readonly ConcurrentQueue<(string What, string Detail)> news = new();
    private readonly Queue<(LogPlace Place, long SentAt)> unsettled = new();
    private readonly TimeProvider clock;
    private readonly ForwardTimes times;
    private readonly string name;
    private readonly Task running;
    private volatile Errand errand;
    private volatile bool isEnding;
    private CancellationTokenSource changing = new();
    private Errand? mine;
    private LogChannel? channel;
    private LogPlace sent = LogPlace.Beginning;
    private LogPlace settled = LogPlace.Beginning;
    private LogPlace? saved;
    private long savedAt;
    private bool isAway;
    private bool hasMore;

    /// <param name="name">Of the target, whether there is one or not.</param>
    public LogForwarder(string name, string directory, LogTarget? target, TimeProvider clock, ForwardTimes? times = null)
    {
        this.name = name;
        this.clock = clock;
        this.times = times ?? new ForwardTimes();
        errand = Begin(directory, target);
        running = Task.Run(RunAsync);
    }

    /// <summary>There are new lines.</summary>
    public void Wake()
    {
        if (wake.CurrentCount == 0)
            wake.Release();
    }

    /// <summary>What the log should tell of it, as a server event; null where there is nothing.</summary>
    public (string What, string Detail)? TakeNews() => news.TryDequeue(out var one) ? one : null;

    /// <summary>
    /// What waits goes to another target, or nowhere. Called by the task that writes the files, with nothing of the new directory written.
    /// </summary>
    public void Apply(string directory, LogTarget? target)
    {
        var now = errand;
        if (directory == now.Directory && target == now.Target)
            return;
        errand = directory == now.Directory && target is not null && now.Target is not null
            ? now with { Target = target }
            : Begin(directory, target);
        if (target is null)
            Forget(now.Directory);
        Interlocked.Exchange(ref changing, new CancellationTokenSource()).Cancel();
        Wake();
    }

    /// <summary>Sends what is left, where that is soon done.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isEnding)
            return;
        isEnding = true;
        await hurry.CancelAsync();
        Wake();
        await Task.WhenAny(running, Task.Delay(times.Farewell, clock));
        await end.CancelAsync();
        await running;
        end.Dispose();
        hurry.Dispose();
        wake.Dispose();
    }

    /// <summary>
    /// Where it goes on, or begins: behind what is in the files now, which is remembered before anything is written behind it.
    /// </summary>
    private Errand Begin(string directory, LogTarget? target)
    {
        var path = LogPlace.PathOf(directory, name);
        try
        {
            if (target is null)
                return new Errand(directory, target, LogPlace.Beginning); // of a command beside the server too: the place stays

            if (LogPlace.Load(path) is { } known)
                return new Errand(directory, target, known);
            var place = LogPlace.EndOf(directory);
            place.Save(path);
            return new Errand(directory, target, place);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            if (target is not null)
                Tell("place", $"where it was is not known, so it gets all that is kept: {e.Message}");
            return new Errand(directory, target, LogPlace.Beginning);
        }
    }

    /// <summary>Whoever is named later begins then.</summary>
    private void Forget(string directory)
    {
        try
        {
            File.Delete(LogPlace.PathOf(directory, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then it is caught up.
        }
    }

    private async Task RunAsync()
    {
        var pause = times.FirstPause;
        while (!end.IsCancellationRequested)
        {
            try
            {
                if (await PassAsync())
                {
                    pause = times.FirstPause;
                    if (!hasMore)
                        await Task.Delay(times.Gathering, hurry.Token);
                    continue;
                }

                if (isEnding)
                    break;
                await wake.WaitAsync(times.Idle, end.Token);
            }
            catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or TimeoutException)
            {
                await BreakAsync(e.Message);
                if (isEnding)
                    break;
                await PauseAsync(pause);
                pause = pause * 2 < times.LongestPause ? pause * 2 : times.LongestPause;
            }
            catch (OperationCanceledException)
            {
                // The end, or another target.
            }
        }

        await EndAsync();
    }

    /// <summary>False when there is nothing to send.</summary>
    private async ValueTask<bool> PassAsync()
    {
        var now = errand;
        if (now != mine)
            await TurnToAsync(now);
        if (now.Target is not { } target)
            return false;
        if (channel is { IsBroken: true })
            throw new IOException("the server ended the connection");
        Settle();
        if (clock.GetElapsedTime(savedAt) >= times.Saving)
            Save();
        var stretch = await LogStretch.ReadAsync(now.Directory, sent, end.Token);
        settled = settled.Knowing(stretch.Place);
        foreach (var (file, octets) in stretch.Gaps)
            Tell("gap", string.Create(
                CultureInfo.InvariantCulture, $"{octets} octets of {file} were deleted before {target} had them"));
        if (stretch.Lines.Count > 0)
        {
            channel ??= await InTimeAsync(target.OpenAsync, "does not answer");
            var open = channel;
            await InTimeAsync(
                async ct =>
                {
                    await open.SendAsync(stretch.Lines, ct);
                    return true;
                },
                "takes nothing");
            if (isAway)
                Tell("back", $"{target} takes events again, from where it was");
            isAway = false;
        }

        if (stretch.Place != sent)
            unsettled.Enqueue((sent = stretch.Place, clock.GetTimestamp()));
        hasMore = stretch.IsFull;
        return stretch.Lines.Count > 0;
    }

    private async ValueTask TurnToAsync(Errand now)
    {
        if (channel is not null)
            await channel.DisposeAsync();
        channel = null;
        unsettled.Clear();
        // Another server of the same directory goes on where the one before was.
        if (mine is null || mine.From != now.From)
        {
            if (mine is { Target: not null } && mine.Directory != now.Directory)
                await TellLeftAsync(mine);
            (settled, saved) = (now.From, now.From);
        }

        sent = settled;
        mine = now;
        isAway = false;
    }

    /// <summary>The log has gone to another directory, and nobody follows this one any more.</summary>
    private async ValueTask TellLeftAsync(Errand before)
    {
        try
        {
            if ((await LogStretch.ReadAsync(before.Directory, settled, end.Token)).Lines.Count > 0)
                Tell("gap", $"the log is in another directory now; the last lines in {before.Directory} were not sent");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell("gap", $"the log is in another directory now; whether all in {before.Directory} was sent is not known: {e.Message}");
        }
    }

    /// <summary>What was handed over long enough ago has got there.</summary>
    private void Settle()
    {
        while (unsettled.TryPeek(out var oldest)
            && (channel is null || clock.GetElapsedTime(oldest.SentAt) >= channel.Settling))
        {
            settled = oldest.Place;
            unsettled.Dequeue();
        }
    }

    private void Save()
    {
        if (settled == saved || mine is not { Target: not null } now || errand.Target is null)
            return;
        saved = settled;
        savedAt = clock.GetTimestamp();
        settled.Save(LogPlace.PathOf(now.Directory, name));
    }

    private async ValueTask BreakAsync(string reason)
    {
        if (channel is not null)
            await channel.DisposeAsync();
        channel = null;
        unsettled.Clear();
        sent = settled;
        if (!isAway)
            Tell("away", $"{mine?.Target}: {reason}; the files keep what it has not had");
        isAway = true;
    }

    private async ValueTask PauseAsync(TimeSpan pause)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(hurry.Token, Volatile.Read(ref changing).Token);
        try
        {
            await Task.Delay(pause, clock, either.Token);
        }
        catch (OperationCanceledException)
        {
            // The end, or another server at once.
        }
    }

    /// <summary>Ends the way in order, so that what was sent counts.</summary>
    private async ValueTask EndAsync()
    {
        try
        {
            if (channel is not null)
            {
                await channel.EndAsync(end.Token);
                settled = sent;
            }

            Save();
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or OperationCanceledException)
        {
            // What is not known to be there is sent again after the next start.
        }
        finally
        {
            if (channel is not null)
                await channel.DisposeAsync();
        }
    }

    private async ValueTask<T> InTimeAsync<T>(Func<CancellationToken, ValueTask<T>> act, string otherwise)
    {
        using var late = new CancellationTokenSource(times.Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            end.Token, Volatile.Read(ref changing).Token, late.Token);
        try
        {
            return await act(either.Token);
        }
        catch (Exception e) when (late.IsCancellationRequested && e is (OperationCanceledException or IOException or SocketException))
        {
            throw new TimeoutException(
                string.Create(CultureInfo.InvariantCulture, $"it {otherwise} for {times.Patience.TotalSeconds} s"), e);
        }
    }

    private void Tell(string what, string detail)
    {
        if (news.Count < MostNews)
            news.Enqueue(($"{name}_{what}", detail));
    }

    /// <summary>What is to be sent where.</summary>
    /// <param name="From">Where it begins.</param>
    private sealed record Errand(string Directory, LogTarget? Target, LogPlace From);
}

/// <summary>How long a <see cref="LogForwarder"/> waits for what.</summary>
internal sealed record ForwardTimes
{
    /// <summary>Between two tries; twice as long each time.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long connecting may take with all that belongs to it, and one write.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often is looked without being woken: commands beside the server write lines too. Real time.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long events gather behind those that were sent: each look asks for the length of every file. Real time.</summary>
    public TimeSpan Gathering { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often the place is remembered, at most.</summary>
    public TimeSpan Saving { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the end of the server waits for what is left.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(2);
}
