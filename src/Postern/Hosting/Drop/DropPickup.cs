using System.Collections.Concurrent;
using System.Globalization;
using Postern.Configuration;
using Postern.Machine;
using Postern.Relay.Envelopes;

namespace Postern.Hosting.Drop;

/// <summary>
/// Takes up what users of this machine have left in the drop directory, while the server runs. A file is first moved where only the server
/// can reach it, and is removed when its message is durable in the queue: a crash in between means a second copy, never a lost message.
/// </summary>
internal sealed class DropPickup : IAsyncDisposable
{
    /// <summary>Files that one look sees and takes; the others are for the next one.</summary>
    private const int MostAtOnce = 1_000_000;

    /// <summary>Files of one user that one look takes: whoever leaves very many does not hide those of others.</summary>
    private const int MostOfUser = 1_000;

    /// <summary>Kinds of trouble that are remembered as told.</summary>
    private const int MostTold = 1_000;

    /// <summary>Messages that are taken up beside one another.</summary>
    private const int Lanes = 4;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>After this a file that was never finished is nobody's any more.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    private readonly Func<PosternConfiguration> configuration;
    private readonly DropIntake intake;
    private readonly Action<string, string> tell;
    private readonly TimeProvider clock;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim wake = new(0, 1);

    /// <summary>Those that could not be taken now: when they are tried again, and after what pause.</summary>
    private readonly ConcurrentDictionary<string, (DateTimeOffset At, TimeSpan Pause)> later = new(StringComparer.Ordinal);

    /// <summary>What is in the queue, and could not be removed here.</summary>
    private readonly ConcurrentDictionary<string, bool> stuck = new(StringComparer.Ordinal);

    private readonly Task running;
    private DropDirectory? directory;
    private FileSystemWatcher? watcher;
    private readonly HashSet<string> troubles = new(StringComparer.Ordinal);

    /// <param name="configuration">The one that is in force.</param>
    /// <param name="tell">Takes a word and its details, for the log.</param>
    public DropPickup(Func<PosternConfiguration> configuration, DropIntake intake, Action<string, string> tell, TimeProvider clock)
    {
        (this.configuration, this.intake, this.tell, this.clock) = (configuration, intake, tell, clock);
        running = Task.Run(RunAsync);
    }

    /// <summary>Ends when the messages that are being taken up are.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        watcher?.Dispose();
        stopping.Dispose();
        wake.Dispose();
    }

    private async Task RunAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Settle();
                if (directory is null || !await TakeAllAsync(directory))
                    await WaitAsync();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Trouble(e is IOException or UnauthorizedAccessException ? e.Message : e.ToString());
                await WaitAsync();
            }
        }
    }

    /// <summary>Until something is left, or a while.</summary>
    private async Task WaitAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        var period = Task.Delay(Period, clock, limit.Token);
        await Task.WhenAny(period, wake.WaitAsync(limit.Token));
        await limit.CancelAsync();
        stopping.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Finds the directory that is configured now, and watches it.</summary>
    private void Settle()
    {
        var now = configuration();
        var path = now.Sendmail.DropIn(now.Server.Data);
        if (directory?.Path == path && Directory.Exists(directory.Taken))
            return;
        watcher?.Dispose();
        (watcher, directory) = (null, null);
        var wanted = new DropDirectory(path);
        if (wanted.Prepare(isForAll: now.Sendmail.Drop is not null) is { } problem)
        {
            Trouble($"{problem.What}. {problem.Todo}");
            return;
        }

        directory = wanted;
        lock (troubles)
            troubles.Clear();
        try
        {
            watcher = new FileSystemWatcher(path, $"{DropDirectory.FinishedPrefix}*") { NotifyFilter = NotifyFilters.FileName };
            watcher.Created += (_, _) => Wake();
            watcher.Renamed += (_, _) => Wake();
            watcher.Error += (_, _) => Wake();
            watcher.EnableRaisingEvents = true;
        }
        catch (IOException)
        {
            // This machine has no more watches: it is looked at every few seconds all the same.
            watcher?.Dispose();
            watcher = null;
        }
    }

    private void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // It is awake, or has ended.
        }
    }

    /// <summary>True where more is left to be taken at once.</summary>
    private async Task<bool> TakeAllAsync(DropDirectory from)
    {
        var isMore = Claim(from);
        var names = Directory.EnumerateFiles(from.Taken, $"{DropDirectory.FinishedPrefix}*")
            .Select(static path => Path.GetFileName(path))
            .Where(name => !stuck.ContainsKey(name) && !(later.TryGetValue(name, out var wait) && wait.At > clock.GetUtcNow()))
            .Take(MostAtOnce);
        await Parallel.ForEachAsync(
            InTurns(from, names),
            new ParallelOptions { MaxDegreeOfParallelism = Lanes, CancellationToken = stopping.Token },
            async (name, _) => await TakeAsync(from, name));
        return isMore;
    }

    /// <summary>Moves what is whole out of everybody's reach. What has another name than a command gives is nobody's message.</summary>
    /// <returns>Some user has left more than was moved.</returns>
    private bool Claim(DropDirectory from)
    {
        var (ofUsers, isMore, hasMoved) = (new Dictionary<uint, int>(), false, false);
        foreach (var path in Directory.EnumerateFiles(from.Path).Take(MostAtOnce))
        {
            var name = Path.GetFileName(path);
            try
            {
                if (name.StartsWith(DropDirectory.FinishedPrefix, StringComparison.Ordinal)
                    && QueueId.TryParse(name[DropDirectory.FinishedPrefix.Length..], out _)
                    && UserIdentity.Look(path) is { } facts)
                {
                    var count = ofUsers[facts.User] = ofUsers.GetValueOrDefault(facts.User) + 1;
                    isMore |= count > MostOfUser;
                    if (count > MostOfUser)
                        continue;
                    // Never over one that waits there: whoever leaves a file chooses its name.
                    File.Move(path, Path.Combine(from.Taken, name), overwrite: false);
                    hasMoved = true;
                }
                else if (name.StartsWith(DropDirectory.UnfinishedPrefix, StringComparison.Ordinal)
                    && clock.GetUtcNow() - File.GetLastWriteTimeUtc(path) > Abandoned)
                    File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Trouble($"{name} cannot be taken up: {e.Message}");
            }
        }

        return isMore && hasMoved;
    }

    /// <summary>One of each user, then the next of each: who leaves ten thousand stands before nobody.</summary>
    private static IEnumerable<string> InTurns(DropDirectory from, IEnumerable<string> names)
    {
        var queues = names.GroupBy(name => UserIdentity.Look(Path.Combine(from.Taken, name))?.User ?? 0)
            .Select(static group => new Queue<string>(group.Order(StringComparer.Ordinal))).ToList();
        while (queues.Count > 0)
        {
            foreach (var queue in queues)
                yield return queue.Dequeue();
            queues.RemoveAll(static queue => queue.Count == 0);
        }
    }

    private async ValueTask TakeAsync(DropDirectory from, string name)
    {
        var path = Path.Combine(from.Taken, name);
        try
        {
            switch (await intake.TakeAsync(path, from.Taken, stopping.Token))
            {
                case DropOutcome.Done:
                    later.TryRemove(name, out _);
                    Remove(path, name);
                    break;
                case DropOutcome.Later(var reason):
                    Postpone(name, reason);
                    break;
                case DropOutcome.Aside(var reason):
                    later.TryRemove(name, out _);
                    intake.PutAside(from, name, reason);
                    break;
            }
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            Postpone(name, e is IOException or UnauthorizedAccessException ? e.Message : e.ToString());
        }
    }

    private void Postpone(string name, string reason)
    {
        var pause = later.TryGetValue(name, out var before)
            ? TimeSpan.FromTicks(Math.Min(before.Pause.Ticks * 2, LongestPause.Ticks))
            : FirstPause;
        later[name] = (clock.GetUtcNow() + pause, pause);
        tell("drop_deferred", string.Create(CultureInfo.InvariantCulture, $"{name}: {reason}; tried again in {pause.TotalSeconds:0} s"));
    }

    private void Remove(string path, string name)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its message is queued: once more would be a second copy.
            stuck[name] = true;
            tell("drop_trouble", $"{path} is in the queue and cannot be removed, remove it before the next start: {e.Message}");
        }
    }

    /// <summary>The same trouble is told once.</summary>
    private void Trouble(string what)
    {
        lock (troubles)
        {
            if (troubles.Count >= MostTold || !troubles.Add(what))
                return;
        }

        tell("drop_trouble", what);
    }
}
