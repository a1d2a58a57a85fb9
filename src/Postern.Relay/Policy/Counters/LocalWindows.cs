using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Limits;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// Sliding windows of one server, in memory and in a file in its data directory. The file is appended to once a second at most, outside of
/// any session, and rewritten when most of it is old; so a process that is killed forgets a second of counting, and one that is stopped
/// nothing. Sessions at once are counted in memory alone: they end with the process.
/// </summary>
internal sealed class LocalWindows : IWindowCounters, IDisposable
{
    /// <summary>Beyond it those that have used the least are forgotten.</summary>
    internal const int MostWindows = 100_000;

    /// <summary>The same of different recipients, all together.</summary>
    private const int MostItems = 1_000_000;

    private const int LeastRewritten = 10_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseAfterTrouble = TimeSpan.FromMinutes(1);

    private readonly string? path;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly RaisedLimits raised;
    private readonly Lock gate = new();
    private readonly Lock writing = new();
    private readonly Dictionary<LimitSubject, Usage> usages = [];
    private readonly Dictionary<string, List<(LimitSubject Of, LimitThing What)>> sessions = new(StringComparer.Ordinal);
    private readonly List<(LimitName Name, SlidingWindow Window)> dirty = [];
    private int windows;
    private int items;
    private int lines = int.MaxValue;
    private bool defersIfLost;
    private bool isUnreadable;
    private bool isAside;
    private bool isOwed;
    private bool isTold;

    /// <param name="path">Null: it is kept nowhere.</param>
    private LocalWindows(string? path, IAuditLog audit, TimeProvider clock, bool defersIfLost)
    {
        this.path = path;
        this.audit = audit;
        this.clock = clock;
        this.defersIfLost = defersIfLost;
        raised = new RaisedLimits(path is null ? null : path + "-raised");
        timer = clock.CreateTimer(_ => Write(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string? Lost { get; private set; }

    public ImmutableArray<RaisedLimit> Raised
    {
        get
        {
            lock (gate)
                return raised.All(clock.GetUtcNow());
        }
    }

    /// <summary>
    /// Goes on from what the file holds. Of one that is damaged what can be read counts; it is told, and set aside before it is written
    /// again.
    /// </summary>
    /// <param name="defersIfLost">A damaged file stays where it is, and nothing is written, until an operator takes it away.</param>
    public static LocalWindows Open(string? path, IAuditLog audit, TimeProvider clock, bool defersIfLost = false)
    {
        var counters = new LocalWindows(path, audit, clock, defersIfLost);
        if (path is not null)
            counters.Read(path);
        return counters;
    }

    /// <summary>What counts from now on where counts are lost.</summary>
    public void Apply(bool defers)
    {
        lock (gate)
            defersIfLost = defers;
    }

    public ValueTask<WindowAnswer> AskAsync(ReadOnlyMemory<WindowClaim> claims, bool takes, CancellationToken ct)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            var answer = new WindowAnswer(-1, 0, default, TimeSpan.Zero) { Warned = -1, IsKnown = true };
            for (var i = 0; i < claims.Length; i++)
                Look(claims.Span[i], i, now, ref answer);
            if (takes && answer.Fits)
            {
                foreach (ref readonly var claim in claims.Span)
                {
                    if (!claim.OnlyLooks)
                        Take(claim, now);
                }
            }

            return new(answer);
        }
    }

    public ValueTask AddAsync(ReadOnlyMemory<WindowClaim> claims, CancellationToken ct)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            foreach (ref readonly var claim in claims.Span)
                Take(claim, now);
        }

        return default;
    }

    public void Release(string session)
    {
        lock (gate)
        {
            if (sessions.Count == 0 || !sessions.Remove(session, out var held))
                return;
            foreach (var (of, what) in held)
            {
                if (what == LimitThing.Concurrency && usages.TryGetValue(of, out var usage))
                    usage.Sessions--;
            }
        }
    }

    public ValueTask<ImmutableArray<WindowUse>> ListAsync(ImmutableArray<LimitSubject> of, CancellationToken ct)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            var found = ImmutableArray.CreateBuilder<WindowUse>();
            IEnumerable<LimitSubject> wanted = of.IsDefaultOrEmpty ? usages.Keys : of;
            foreach (var subject in wanted)
            {
                if (!usages.TryGetValue(subject, out var usage))
                    continue;
                if (usage.Sessions > 0)
                    found.Add(new WindowUse(subject, LimitThing.Concurrency, TimeSpan.Zero, usage.Sessions, FreesAt: null));
                foreach (var (what, length, window) in usage.Windows)
                {
                    if (window.Used(now) is > 0 and var used)
                        found.Add(new WindowUse(subject, what, length, used, window.FreesAt(now)));
                }
            }

            return new(found.DrainToImmutable());
        }
    }

    public ValueTask<RaisedLimit?> RaiseAsync(RaisedLimit limit, CancellationToken ct)
    {
        lock (gate)
            return new(raised.Raise(limit, clock.GetUtcNow()));
    }

    public ValueTask<ImmutableArray<RaisedLimit>> LowerAsync(LimitSubject of, LimitThing? what, CancellationToken ct)
    {
        lock (gate)
            return new(raised.Lower(of, what, clock.GetUtcNow()));
    }

    /// <summary>Writes what is not written yet.</summary>
    public void Dispose()
    {
        timer.Dispose();
        Write();
    }

    /// <summary>Whether a claim fits; the one that has to wait longest is the answer.</summary>
    private void Look(in WindowClaim claim, int place, DateTimeOffset now, ref WindowAnswer answer)
    {
        var limit = raised.Of(claim, now);
        var usage = usages.GetValueOrDefault(claim.Of);
        var window = usage?.Find(claim.What, limit.Window);
        var used = claim.What == LimitThing.Concurrency ? usage?.Sessions ?? 0 : window?.Used(now) ?? 0;
        var cost = claim.Session is { } session && IsCounted(session, claim) ? 0
            : claim.What == LimitThing.DistinctRecipients && window?.Has(claim.Item) is true ? 0
            : claim.Cost;
        if (cost > 0 && used + cost > limit.Count)
        {
            var wait = window is null ? (cost > limit.Count ? null : TimeSpan.Zero) : window.Wait(now, cost, limit.Count);
            if (claim.What == LimitThing.Concurrency)
                wait = TimeSpan.Zero;
            if (answer.Fits || (answer.Wait is { } before && (wait is null || wait > before)))
                answer = answer with { Refused = place, Used = used, Limit = limit, Wait = wait };
            return;
        }

        // A raised limit is warned of at the same share.
        var warnAt = limit == claim.Limit ? claim.WarnAt : claim.WarnAt * limit.Count / Math.Max(1, claim.Limit.Count);
        var then = claim.OnlyLooks ? used : used + cost;
        if (!answer.Fits || answer.Warned >= 0)
            return;
        if (claim.WarnAt > 0 && then >= warnAt)
            answer = answer with { Warned = place, Used = then, Limit = limit };
        else if (place == 0)
            answer = answer with { Used = used, Limit = limit };
    }

    private bool IsCounted(string session, in WindowClaim claim) =>
        sessions.Count > 0 && sessions.TryGetValue(session, out var held) && held.Contains((claim.Of, claim.What));

    private void Take(in WindowClaim claim, DateTimeOffset now)
    {
        if (claim.Session is { Length: > 0 } session)
        {
            ref var held = ref CollectionsMarshal.GetValueRefOrAddDefault(sessions, session, out _);
            held ??= [];
            if (held.Contains((claim.Of, claim.What)))
                return;
            held.Add((claim.Of, claim.What));
        }

        if (!usages.TryGetValue(claim.Of, out var usage))
            usages.Add(claim.Of, usage = new Usage());
        if (claim.What == LimitThing.Concurrency)
        {
            usage.Sessions++;
            return;
        }

        if (usage.Find(claim.What, claim.Limit.Window) is not { } window)
        {
            if (windows >= MostWindows || items >= MostItems)
            {
                Forget(now);
                usages.TryAdd(claim.Of, usage);
            }

            window = usage.Add(claim.What, claim.Limit.Window);
            windows++;
        }

        var before = window.ItemCount;
        if (!window.IsDirty)
        {
            dirty.Add((new LimitName(claim.Of, claim.What, claim.Limit.Window), window));
            if (dirty.Count == 1)
                timer.Change(Pause, Timeout.InfiniteTimeSpan);
        }

        window.Add(now, claim.Cost, claim.Item);
        items += window.ItemCount - before;
    }

    /// <summary>Those that are empty; where there are few, the tenth that has used the least.</summary>
    private void Forget(DateTimeOffset now)
    {
        var all = usages.SelectMany(static u => u.Value.Windows.Select(w => (Of: u.Key, Usage: u.Value, Window: w))).ToList();
        var most = all.Count / 10;
        foreach (var (of, usage, window) in all.OrderBy(one => one.Window.Use.Used(now))
            .TakeWhile((one, i) => i < most || one.Window.Use.Used(now) == 0))
        {
            usage.Windows.Remove(window);
            if (usage.Windows.Count == 0 && usage.Sessions == 0)
                usages.Remove(of);
        }

        windows = usages.Values.Sum(static u => u.Windows.Count);
        items = usages.Values.Sum(static u => u.Windows.Sum(static w => w.Use.ItemCount));
    }

    private void Read(string file)
    {
        try
        {
            Lost = WindowFile.Read(file, line =>
            {
                if (windows >= MostWindows || items >= MostItems)
                    return;
                if (!usages.TryGetValue(line.Of, out var usage))
                    usages.Add(line.Of, usage = new Usage());
                var window = usage.Find(line.What, line.Window);
                if (window is null)
                {
                    window = usage.Add(line.What, line.Window);
                    windows++;
                }

                var before = window.ItemCount;
                window.Restore(line.Slice, line.Count, line.Item);
                items += window.ItemCount - before;
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            isUnreadable = true;
            Lost = $"{file} cannot be read, and is not written until the next start: {e.Message}";
        }

        isAside = Lost is null || isUnreadable;
        if (Lost is not null)
            Tell("limits_lost", Lost);
        if (raised.Read() is { } wrong)
            Tell("limits_lost", $"{wrong}: what they raised is not raised");
    }

    private void Write()
    {
        lock (writing)
        {
            List<WindowLine> due = [];
            bool isNew;
            lock (gate)
            {
                if (path is null || isUnreadable || (dirty.Count == 0 && !isOwed) || (Lost is not null && defersIfLost))
                {
                    // What is not written now is written whole when it is.
                    lines = int.MaxValue;
                    foreach (var (_, window) in dirty)
                        window.TakeDirty(all: false, static (_, _, _) => { });
                    dirty.Clear();
                    return;
                }

                isNew = lines > Math.Max(LeastRewritten, (windows + items) * 4);
                var now = clock.GetUtcNow();
                if (isNew)
                {
                    foreach (var (of, usage) in usages)
                    {
                        foreach (var (what, length, window) in usage.Windows)
                        {
                            if (window.Used(now) > 0)
                                window.TakeDirty(all: true, (slice, much, item) => due.Add(new(of, what, length, slice, much, item)));
                        }
                    }
                }

                foreach (var (name, window) in dirty)
                    window.TakeDirty(
                        all: false, (slice, much, item) => due.Add(new(name.Of, name.What, name.Window, slice, much, item)));
                dirty.Clear();
            }

            try
            {
                if (!isAside)
                    File.Move(path, path + ".damaged", overwrite: true);
                isAside = true;
                WindowFile.Write(path, due, isNew);
                lines = isNew ? due.Count : lines + due.Count;
                isTold = isOwed = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                lines = int.MaxValue; // all of it, next time
                timer.Change(PauseAfterTrouble, Timeout.InfiniteTimeSpan);
                isOwed = true;
                if (!isTold)
                    Tell("limits_not_kept", $"{path}: {e.Message}");
                isTold = true;
            }
        }
    }

    private void Tell(string what, string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));

    /// <summary>All that is counted of one subject: a few windows, and its sessions now.</summary>
    private sealed class Usage
    {
        public List<(LimitThing What, TimeSpan Length, SlidingWindow Use)> Windows { get; } = new(2);

        public int Sessions { get; set; }

        public SlidingWindow? Find(LimitThing what, TimeSpan length)
        {
            foreach (var (thing, window, use) in Windows)
            {
                if (thing == what && window == length)
                    return use;
            }

            return null;
        }

        public SlidingWindow Add(LimitThing what, TimeSpan length)
        {
            var window = new SlidingWindow(length, what == LimitThing.DistinctRecipients);
            Windows.Add((what, length, window));
            return window;
        }
    }
}
