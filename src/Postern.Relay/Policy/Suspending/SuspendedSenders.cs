using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Policy.Suspending;

/// <summary>
/// Accounts, credentials and tenants whose mail is not taken until a time. In memory, and in a file with a line for each, which is replaced
/// as a whole; so a restart changes nothing. Any thread may ask; changes come one at a time.
/// </summary>
public sealed class SuspendedSenders : ISuspendedSenders, IDisposable
{
    private const string FileName = "suspended-senders";

    /// <summary>Timers of the platform end before 49 days; it is looked at again then.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly string path;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ITimer? timer;
    private readonly Lock changing = new();
    private volatile FrozenDictionary<(SuspendedKind Of, string Name), Suspension> all;

    private SuspendedSenders(string path, IEnumerable<Suspension> known, IAuditLog audit, TimeProvider clock, bool isServer)
    {
        (this.path, this.audit, this.clock, all) = (path, audit, clock, Frozen(known));
        timer = isServer ? clock.CreateTimer(_ => End(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) : null;
        WaitForNext();
    }

    /// <summary>Those that have not ended, in the order in which they end.</summary>
    public ImmutableArray<Suspension> All
    {
        get
        {
            var now = clock.GetUtcNow();
            return
            [
                .. all.Values.Where(one => one.Until > now).OrderBy(static one => one.Until)
                    .ThenBy(static one => one.Name, StringComparer.Ordinal),
            ];
        }
    }

    /// <summary>Goes on from what is kept beside the directory's database; a file that is not there suspends nobody.</summary>
    /// <param name="database">The path of that database.</param>
    /// <param name="isServer">Suspensions that end are told, and leave the file.</param>
    /// <exception cref="IOException">
    /// It is there, and not all of it reads. Whoever went on without it would let those send whom it names.
    /// </exception>
    public static SuspendedSenders OpenBeside(string database, IAuditLog audit, TimeProvider clock, bool isServer)
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(database)) ?? string.Empty, FileName);
        var known = new List<Suspension>();
        try
        {
            var number = 0;
            foreach (var line in File.Exists(file) ? File.ReadAllLines(file, Encoding.ASCII) : [])
            {
                number++;
                known.Add(
                    TryRead(line) ?? throw new IOException(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{file}, line {number} does not read: who is suspended is not known. Mend the line or take it out, "
                                + $"and start again; postern log admin has what was suspended")));
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }

        return new SuspendedSenders(file, known, audit, clock, isServer);
    }

    Suspension? ISuspendedSenders.Find(
        EnvelopeFacts facts, DateTimeOffset now, IReadOnlySet<(SuspendedKind Of, string Name)>? except) =>
        all.Count == 0 ? null : Find(facts, now, except);

    /// <summary>Suspends, or changes the reason and the end of one that is.</summary>
    /// <returns>What counted before.</returns>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public Suspension? Suspend(Suspension one)
    {
        lock (changing)
        {
            var before = all.GetValueOrDefault((one.Of, one.Name));
            Save([.. All.Where(other => other != before), one]);
            WaitForNext();
            return before?.Until > clock.GetUtcNow() ? before : null;
        }
    }

    /// <summary>Ends a suspension before its time.</summary>
    /// <returns>What counted before; null where nothing did.</returns>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public Suspension? Resume(SuspendedKind of, string name)
    {
        lock (changing)
        {
            if (all.GetValueOrDefault((of, name)) is not { } before || before.Until <= clock.GetUtcNow())
                return null;
            Save([.. All.Where(other => other != before)]);
            WaitForNext();
            return before;
        }
    }

    public void Dispose() => timer?.Dispose();

    private Suspension? Find(EnvelopeFacts facts, DateTimeOffset now, IReadOnlySet<(SuspendedKind Of, string Name)>? except)
    {
        Suspension? longest = null;
        Look(SuspendedKind.Account, facts.Login);
        if (facts.ProvenBy != facts.Login)
            Look(SuspendedKind.Account, facts.ProvenBy);
        if (facts is { Credential: { } credential, ProvenBy: { } owner })
            Look(SuspendedKind.Credential, owner + credential);
        Look(SuspendedKind.Tenant, facts.Tenant?.ToLowerInvariant());
        return longest;

        void Look(SuspendedKind of, string? name)
        {
            if (name is not null
                && all.TryGetValue((of, name), out var one)
                && one.Until > now
                && except?.Contains((of, name)) is not true
                && !(longest?.Until >= one.Until))
                longest = one;
        }
    }

    /// <summary>Takes out those whose time is over, and says so.</summary>
    private void End()
    {
        lock (changing)
        {
            var now = clock.GetUtcNow();
            var ended = all.Values.Where(one => one.Until <= now).ToList();
            try
            {
                if (ended.Count > 0)
                    Save([.. All]);
            }
            catch (IOException)
            {
                // Their times stand in the file: nobody is suspended for longer because of it.
                all = Frozen(All);
            }

            foreach (var one in ended)
                audit.Append(new ServerEvent(now, "suspension_ended", $"{one.Of.Word()} {one.Name}: {one.Reason}"));
            WaitForNext();
        }
    }

    private void WaitForNext()
    {
        if (timer is null || all.Count == 0)
            return;
        var wait = all.Values.Min(static one => one.Until) - clock.GetUtcNow();
        timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LongestWait ? wait : LongestWait, Timeout.InfiniteTimeSpan);
    }

    private void Save(ImmutableArray<Suspension> next)
    {
        var text = new StringBuilder();
        foreach (var one in next)
            text.Append(
                CultureInfo.InvariantCulture,
                $"{one.Of.Word()} {Uri.EscapeDataString(one.Name)} {one.Since.UtcTicks} {one.Until.UtcTicks} "
                    + $"{Uri.EscapeDataString(one.By)} {Uri.EscapeDataString(one.Reason)}\n");
        try
        {
            LineFile.Save(path, isNew: true, to => to.Write(text));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }

        all = Frozen(next);
    }

    private static FrozenDictionary<(SuspendedKind Of, string Name), Suspension> Frozen(IEnumerable<Suspension> all) =>
        all.DistinctBy(static one => (one.Of, one.Name)).ToFrozenDictionary(static one => (one.Of, one.Name));

    private static Suspension? TryRead(string line)
    {
        if (line.Split(' ') is not [var word, var name, var since, var until, var by, var reason])
            return null;
        foreach (var kind in Enum.GetValues<SuspendedKind>())
        {
            if (kind.Word() == word && TryTime(since, out var from) && TryTime(until, out var to))
                return new Suspension(
                    kind, Uri.UnescapeDataString(name), Uri.UnescapeDataString(reason), from, to, Uri.UnescapeDataString(by));
        }

        return null;
    }

    private static bool TryTime(string text, out DateTimeOffset at)
    {
        var isRead = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= DateTimeOffset.MaxValue.UtcTicks;
        at = isRead ? new DateTimeOffset(ticks, TimeSpan.Zero) : default;
        return isRead;
    }
}
