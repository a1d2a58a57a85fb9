using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Suspending;

namespace Postern.Relay.Policy.Watching;

/// <summary>
/// The histories of all logins of one server, in memory and in a file in its data directory, which is written every five minutes: a process
/// that is killed forgets five minutes of learning, and one that is stopped nothing.
/// </summary>
public sealed class LoginWatch : ILoginWatch, IDisposable
{
    /// <summary>With less than 2 KiB each; beyond it those that did nothing for longest are forgotten.</summary>
    internal const int MostLogins = 50_000;

    private const string Reason = "unusual sending: ask your postmaster";

    private static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromDays(1);

    private readonly LoginHistoryFile? file;
    private readonly SuspendedSenders? suspended;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private readonly Dictionary<WatchedLogin, Entry> entries = [];
    private readonly ConcurrentDictionary<string, string> missing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WatchedLogin> last = new(StringComparer.Ordinal);

    /// <param name="path">Null: it is kept nowhere.</param>
    /// <param name="suspended">Where suspensions go; null: nobody is suspended.</param>
    public LoginWatch(string? path, SuspendedSenders? suspended, IAuditLog audit, TimeProvider clock)
    {
        (file, this.suspended, this.audit, this.clock) = (path is null ? null : new LoginHistoryFile(path), suspended, audit, clock);
        foreach (var (login, history) in file?.Read(Tell) ?? [])
            entries[login] = new Entry(history);
        timer = clock.CreateTimer(_ => Save(), state: null, SaveEvery, SaveEvery);
    }

    /// <summary>The place of the file beside the directory's database.</summary>
    public static string FileBeside(string database) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(database)) ?? string.Empty, "login-history");

    /// <summary>Told of each step that is taken with a login, once a day.</summary>
    public Action<WatchNotice>? OnStep { get; set; }

    /// <summary>What is known of logins that are unusual, the most unusual first.</summary>
    /// <param name="all">Also those that are as always.</param>
    public ImmutableArray<WatchState> List(bool all)
    {
        var found = ImmutableArray.CreateBuilder<WatchState>();
        lock (gate)
        {
            foreach (var (login, entry) in entries)
            {
                lock (entry)
                {
                    if (all || (entry.Answer.Score.Points > 0 && clock.GetUtcNow() - entry.At < Pause))
                        found.Add(
                            new WatchState(
                                login.ToString(),
                                entry.Answer.Score.Points,
                                entry.Answer.Step,
                                entry.At,
                                entry.Client?.ToString(),
                                entry.History.IsLearning,
                                entry.Answer.Score.Parts));
                }
            }
        }

        found.Sort(static (a, b) => b.Points != a.Points ? b.Points.CompareTo(a.Points) : string.CompareOrdinal(a.Login, b.Login));
        return found.DrainToImmutable();
    }

    /// <summary>
    /// What a login did was its user: the places are its own from now on, what it sent teaches, and a suspension by the watch ends.
    /// </summary>
    /// <param name="name">As <see cref="List"/> has it; of an account all of its secrets.</param>
    /// <returns>The logins that were known.</returns>
    /// <exception cref="IOException">The end of the suspension could not be written down.</exception>
    public ImmutableArray<string> Forgive(string name)
    {
        var forgiven = ImmutableArray.CreateBuilder<string>();
        var accounts = new HashSet<string>(StringComparer.Ordinal);
        lock (gate)
        {
            foreach (var (login, entry) in entries)
            {
                if (login.Account != name && login.ToString() != name)
                    continue;
                lock (entry)
                {
                    entry.History.Forgive();
                    (entry.Answer, entry.Told) = (WatchAnswer.Usual, default);
                }

                forgiven.Add(login.ToString());
                accounts.Add(login.Account);
            }
        }

        foreach (var one in suspended?.All ?? [])
        {
            if (one.By == Rules.WatchLogins.Word && (accounts.Contains(one.Name) || forgiven.Contains(one.Name)))
                suspended!.Resume(one.Of, one.Name);
        }

        return forgiven.DrainToImmutable();
    }

    /// <summary>Writes what is not written yet.</summary>
    public void Dispose()
    {
        timer.Dispose();
        Save();
    }

    WatchAnswer? ILoginWatch.Judge(WatchedLogin login, in Sending sending, WatchLevels levels, bool counts)
    {
        var entry = Find(login, counts);
        if (entry is null)
            return WatchAnswer.Usual;
        lock (entry)
        {
            var score = entry.History.Judge(sending, counts);
            if (!counts)
                return new WatchAnswer(score, levels.StepAt(score.Points), Passes: false);
            var step = entry.History.StepAt(score.Points, levels);
            var passes = step != WatchStep.Throttle || sending.Recipient == 0 || entry.History.MayPass(sending.At, levels.Every);
            entry.At = sending.At;
            entry.Answer = score.Points == 0 && step == WatchStep.None ? WatchAnswer.Usual : new WatchAnswer(score, step, passes);
            return entry.Answer;
        }
    }

    void ILoginWatch.MissPlaces(string path, string? problem)
    {
        if (problem is null ? missing.TryRemove(path, out _) : !missing.TryAdd(path, problem))
            return;
        if (problem is not null)
            audit.Append(new ServerEvent(clock.GetUtcNow(), "places_unknown", $"{problem}: where logins send from is not scored by it"));
    }

    void ILoginWatch.AddFailure(WatchedLogin login)
    {
        // A bounce comes when nobody remembers by which secret the message came.
        if (login.Credential is null)
        {
            lock (gate)
                login = last.GetValueOrDefault(login.Account, login);
        }

        if (Find(login, makes: false) is not { } entry)
            return;
        lock (entry)
            entry.History.AddFailure(clock.GetUtcNow());
    }

    void ILoginWatch.Take(WatchedLogin login, IPAddress client, WatchAnswer answer, WatchLevels levels)
    {
        var now = clock.GetUtcNow();
        if (Find(login, makes: true) is not { } entry)
            return;
        lock (entry)
        {
            entry.Client = client;
            if (entry.Told.Step >= answer.Step && now - entry.Told.At < Pause && answer.Step != WatchStep.Suspend)
                return;
            entry.Told = (answer.Step, now);
        }

        if (answer.Step == WatchStep.Suspend && !Suspend(login, levels, now))
            return;
        OnStep?.Invoke(new WatchNotice(login.ToString(), answer.Step, answer.Score, client.ToString()));
    }

    private bool Suspend(WatchedLogin login, WatchLevels levels, DateTimeOffset now)
    {
        var of = login.Credential is null || levels.SuspendsAccount ? SuspendedKind.Account : SuspendedKind.Credential;
        var name = of == SuspendedKind.Account ? login.Account : login.ToString();
        try
        {
            return suspended?.Suspend(new Suspension(of, name, Reason, now, now + levels.SuspendFor, Rules.WatchLogins.Word)) is null;
        }
        catch (IOException e)
        {
            Tell($"{of.Word()} {name} cannot be suspended: {e.Message}");
            return true;
        }
    }

    private Entry? Find(WatchedLogin login, bool makes)
    {
        lock (gate)
        {
            if (entries.TryGetValue(login, out var entry))
            {
                if (makes && login.Credential is not null && (!last.TryGetValue(login.Account, out var other) || other != login))
                    last[login.Account] = login;
                return entry;
            }

            if (!makes)
                return null;
            if (entries.Count >= MostLogins)
                Forget();
            entries.Add(login, entry = new Entry(new LoginHistory()));
            last[login.Account] = login;
            return entry;
        }
    }

    private void Forget()
    {
        foreach (var login in entries.OrderBy(static one => one.Value.History.LastHour).Take(MostLogins / 10).Select(static one => one.Key)
            .ToList())
        {
            entries.Remove(login);
            last.Remove(login.Account);
        }
    }

    private void Save()
    {
        if (file is null)
            return;
        List<KeyValuePair<WatchedLogin, Entry>> all;
        lock (gate)
            all = [.. entries];
        file.Write(
            all.Count,
            (isAll, write) =>
            {
                var octets = new byte[LoginHistory.Length];
                foreach (var (login, entry) in all)
                {
                    lock (entry)
                    {
                        if (!isAll && !entry.History.IsDirty)
                            continue;
                        entry.History.Save(octets);
                    }

                    write(login, octets);
                }
            },
            Tell);
    }

    private void Tell(string what) => audit.Append(new ServerEvent(clock.GetUtcNow(), "login_history", what));

    private sealed class Entry(LoginHistory history)
    {
        public LoginHistory History => history;

        public WatchAnswer Answer { get; set; } = WatchAnswer.Usual;

        public DateTimeOffset At { get; set; }

        public IPAddress? Client { get; set; }

        /// <summary>The heaviest step that somebody was told of, and when.</summary>
        public (WatchStep Step, DateTimeOffset At) Told { get; set; }
    }
}

/// <summary>How a login stands.</summary>
/// <param name="Client">The client by which the last step came about; null where there was none since the start.</param>
/// <param name="IsLearning">It is new: it is held to bounds of all new ones.</param>
public sealed record WatchState(
    string Login, int Points, WatchStep Step, DateTimeOffset At, string? Client, bool IsLearning, ImmutableArray<ScorePart> Parts);

/// <summary>A step that was taken with a login.</summary>
public sealed record WatchNotice(string Login, WatchStep Step, LoginScore Score, string Client);
