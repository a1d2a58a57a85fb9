using System.Globalization;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// Counters of one server, in memory and in a file beside its directory. The file is appended to once a second at most, outside of any
/// session, and rewritten when most of it is old; so a process that is killed forgets a second of counting, and one that is stopped
/// nothing.
/// </summary>
public sealed class LocalCounters : ICounters, IDisposable
{
    /// <summary>Beyond it those that would be empty first are forgotten.</summary>
    internal const int MostKeys = 100_000;

    private const string Header = "postern counters 1";
    private const int LeastRewritten = 10_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseAfterTrouble = TimeSpan.FromMinutes(1);

    private readonly string path;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private readonly Lock writing = new();

    /// <summary>
    /// When all that was counted will have flowed back; GCRA calls it the theoretical arrival time. Limits over different times on one
    /// thing are counts of their own.
    /// </summary>
    private readonly Dictionary<Count, DateTimeOffset> empty = [];

    private HashSet<Count> changed = [];
    private int lines;
    private bool isUnreadable;
    private bool isTold;

    private LocalCounters(string path, IAuditLog audit, TimeProvider clock, LocalWindows windows)
    {
        this.path = path;
        Local = windows;
        this.audit = audit;
        this.clock = clock;
        timer = clock.CreateTimer(_ => Write(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public IWindowCounters Windows => Local;

    /// <summary>The same.</summary>
    internal LocalWindows Local { get; }

    /// <summary>Goes on from what the file holds. One that cannot be read is told, and left as it is: counting then begins anew.</summary>
    /// <param name="windowsPath">Where sliding windows are kept; null: in memory alone.</param>
    /// <param name="defersIfLost">As with <see cref="LocalWindows.Open"/>.</param>
    public static LocalCounters Open(
        string path, IAuditLog audit, TimeProvider clock, string? windowsPath = null, bool defersIfLost = false)
    {
        var counters = new LocalCounters(path, audit, clock, LocalWindows.Open(windowsPath, audit, clock, defersIfLost));
        counters.Read();
        return counters;
    }

    public ValueTask<CounterLevel> PeekAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) =>
        new(Level(key, limit, cost, takes: false));

    public ValueTask<CounterLevel> TakeAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) =>
        new(Level(key, limit, cost, takes: true));

    /// <summary>Writes what is not written yet.</summary>
    public void Dispose()
    {
        timer.Dispose();
        Write();
        Local.Dispose();
    }

    private CounterLevel Level(CounterKey key, RateLimit limit, int cost, bool takes)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            var one = limit.Window / limit.Count;
            var count = new Count(key, limit.Window);
            var isCounted = empty.TryGetValue(count, out var at) || empty.TryGetValue(count with { Window = default }, out at);
            var known = isCounted && at > now ? at : now;
            // A clock that was wrong must not shut anybody out for longer than the limit's own time.
            var from = known < now + limit.Window ? known : now + limit.Window;
            var to = from + (one * cost);
            var wait = to - now - limit.Window;
            var fits = wait <= TimeSpan.FromTicks(limit.Count); // what a division leaves over
            if (fits && takes)
            {
                if (empty.Count >= MostKeys && !empty.ContainsKey(count))
                    Forget(now);
                empty[count] = to;
                if (changed.Add(count) && changed.Count == 1)
                    timer.Change(Pause, Timeout.InfiniteTimeSpan);
            }

            var used = Math.Min(limit.Count, (int)Math.Ceiling(((fits && takes ? to : from) - now) / one - 0.001));
            return new CounterLevel(fits, used, fits ? TimeSpan.Zero : wait);
        }
    }

    /// <summary>Those that are empty; where there are none, the tenth that would be empty first.</summary>
    private void Forget(DateTimeOffset now)
    {
        var gone = empty.Where(e => e.Value <= now).Select(static e => e.Key).ToList();
        if (gone.Count == 0)
            gone = [.. empty.OrderBy(static e => e.Value).Take(MostKeys / 10).Select(static e => e.Key)];
        foreach (var key in gone)
            empty.Remove(key);
    }

    private void Read()
    {
        try
        {
            var text = File.ReadAllText(path, Encoding.ASCII);
            var whole = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (whole.Length > 0 && whole[0] != Header)
                throw new InvalidDataException("it is no file of this server's counters");
            foreach (var line in whole.Skip(1))
            {
                if (line.Split(' ') is [var ticks, var what, var whose, .. var rest]
                    && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
                    && at <= DateTimeOffset.MaxValue.UtcTicks
                    && TryWindow(rest, out var window)
                    && empty.Count < MostKeys)
                    empty[new Count(new CounterKey(what, Uri.UnescapeDataString(whose)), window)] = new DateTimeOffset(at, TimeSpan.Zero);
            }

            lines = int.MaxValue; // the first write makes a new file: the last line may be torn
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            lines = int.MaxValue;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            isUnreadable = true;
            Tell($"{path} cannot be read, and is not written until the next start: {e.Message}");
        }
    }

    /// <summary>What older versions wrote has none: it counts for whichever limit asks first.</summary>
    private static bool TryWindow(string[] rest, out TimeSpan window)
    {
        window = default;
        if (rest is not [var text])
            return rest.Length == 0;
        var isRead = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= 31 * 86_400;
        window = isRead ? TimeSpan.FromSeconds(seconds) : default;
        return isRead;
    }

    private void Write()
    {
        lock (writing)
        {
            if (isUnreadable)
                return;
            List<(Count Key, DateTimeOffset At)> due;
            bool isNew;
            lock (gate)
            {
                if (changed.Count == 0)
                    return;
                var now = clock.GetUtcNow();
                isNew = lines > Math.Max(LeastRewritten, empty.Count * 4);
                due = isNew
                    ? [.. empty.Where(e => e.Value > now).Select(static e => (e.Key, e.Value))]
                    : [.. changed.Where(empty.ContainsKey).Select(key => (key, empty[key]))];
                changed = [];
            }

            try
            {
                Write(due, isNew);
                lines = isNew ? due.Count : lines + due.Count;
                isTold = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                lines = int.MaxValue; // all of it, next time
                lock (gate)
                    changed.UnionWith(due.Select(static one => one.Key));
                timer.Change(PauseAfterTrouble, Timeout.InfiniteTimeSpan);
                if (!isTold)
                    Tell($"{path}: {e.Message}");
                isTold = true;
            }
        }
    }

    private void Write(List<(Count Key, DateTimeOffset At)> due, bool isNew)
    {
        var text = new StringBuilder(isNew ? Header + "\n" : string.Empty);
        foreach (var (key, at) in due)
            text.Append(
                CultureInfo.InvariantCulture,
                $"{at.UtcTicks} {key.Of.What} {Uri.EscapeDataString(key.Of.Whose)} {(long)key.Window.TotalSeconds}\n");
        var name = isNew ? $"{path}.new" : path;
        var how = new FileStreamOptions { Mode = isNew ? FileMode.Create : FileMode.Append, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(name, how))
        {
            file.Write(Encoding.ASCII.GetBytes(text.ToString()));
            if (isNew)
                file.Flush(flushToDisk: true);
        }

        if (isNew)
            File.Move(name, path, overwrite: true);
    }

    private void Tell(string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), "counters_not_kept", detail));

    /// <param name="Window">Zero for what older versions wrote.</param>
    private readonly record struct Count(CounterKey Of, TimeSpan Window);
}
