using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// How many wrong secrets are checked: of an account from one network, of an account, of an address and of a network. A login takes its
/// place in all of them before it is checked, so that guesses in parallel get no more than guesses one after another, and gives it back
/// where it was no guess. An account that logged in from a network before has one budget of its own there, whatever others do. Bounded;
/// holds digests, never a secret.
/// </summary>
public sealed class LoginProtection
{
    /// <summary>Stands for the account of a token that does not say whose it is; no name is like it.</summary>
    public const string Nameless = "\0token";

    private const int MaxOctets = 64 * 1024 * 1024;

    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ProtectionLedger ledger;
    private readonly Lock gate = new();
    private volatile LoginProtectionOptions options;
    private TaskCompletionSource settled = NewSignal();
    private int waiting;
    private int crowded;

    /// <summary>A file that cannot be read is not empty: it is not written over.</summary>
    private bool isUnreadable;

    /// <param name="key">
    /// Makes digests of account names; what is kept in a file is of use with the same key only. Null: one that ends with the process.
    /// </param>
    public LoginProtection(LoginProtectionOptions options, IAuditLog audit, TimeProvider clock, ReadOnlySpan<byte> key = default)
    {
        this.options = options;
        this.audit = audit;
        this.clock = clock;
        ledger = new ProtectionLedger(options, clock, key);
    }

    /// <summary>Since start.</summary>
    public LoginProtectionCounts Counts
    {
        get
        {
            lock (gate)
                return ledger.Counts;
        }
    }

    /// <summary>Entries kept now, of every kind.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return ledger.Count;
        }
    }

    /// <summary>Takes other settings from now on. What was counted stays counted, in the new budgets; who is known stays known.</summary>
    public void Apply(LoginProtectionOptions settings)
    {
        lock (gate)
        {
            if (settings == options)
                return;
            options = settings;
            ledger.Apply(settings);
        }
    }

    /// <summary>How long a place is known from which an account logged in.</summary>
    public static TimeSpan DeviceLife { get; } = TimeSpan.FromDays(90);

    /// <summary>
    /// How much later a login from a new place is asked again, where the budget of its account is used up, before it is checked.
    /// </summary>
    public static TimeSpan ComeAgain { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether <paramref name="account"/> (canonical) logged in from that network before. Cheap; asks nobody.</summary>
    public bool IsKnown(string account, string? peer)
    {
        if (!options.IsEnabled || !LoginPlace.TryRead(peer, out var place, out _))
            return false;
        var digest = ledger.DigestOf(account);
        lock (gate)
            return ledger.Remembered.Contains(new BudgetKey(digest, place.Network));
    }

    /// <summary>
    /// Takes a place in every budget that concerns this login, after a delay where one of them is half used. The outcome is told to
    /// <see cref="Settle"/>.
    /// </summary>
    /// <param name="account">The canonical name, or <see cref="Nameless"/>.</param>
    /// <param name="peer">The client's address; a client without one is not counted.</param>
    public ValueTask<LoginTurn> EnterAsync(string account, string? peer, CancellationToken ct)
    {
        if (Begin(account, peer) is not { } turn)
            return new(LoginTurn.Free);
        var entry = Enter(turn);
        return entry.Delay == TimeSpan.Zero && !entry.IsCrowded ? new(entry.Turn) : WaitAsync(turn, entry, ct);
    }

    /// <summary>Why a login of this account from there would not be checked now; null when it might be. Takes no place.</summary>
    public string? WhyNot(string account, string? peer)
    {
        if (Begin(account, peer) is not { } turn)
            return null;
        lock (gate)
        {
            turn = turn with { IsRemembered = ledger.Remembered.Contains(new BudgetKey(turn.Account, turn.Place.Network)) };
            return ledger.Exhausted(turn, clock.GetTimestamp()) is { } kind ? ledger.Refusal(kind, turn) : null;
        }
    }

    /// <summary>
    /// What a secret was: only a wrong one that was not known to be wrong stays in the budgets, and only a right one makes a place known. A
    /// right one clears the budget of its own account at its own network, once in the time of that budget, and nobody else's.
    /// </summary>
    /// <param name="secret">Which secret of which account it was; default where the server cannot see that two are the same.</param>
    /// <param name="isUser">There is such an account; else its name is masked.</param>
    public void Settle(in LoginTurn turn, LoginOutcome outcome, VerificationKey secret = default, bool isUser = false)
    {
        if (!turn.IsCounted)
            return;
        var news = default(ProtectionNews);
        TaskCompletionSource? signal = null;
        lock (gate)
        {
            if (outcome == LoginOutcome.Wrong && secret != default)
            {
                if (ledger.Wrong.Contains(secret))
                    outcome = LoginOutcome.Repeated;
                else
                    ledger.Wrong.Add(secret);
            }

            if (outcome == LoginOutcome.Repeated)
                ledger.Counts = ledger.Counts with { Repeated = ledger.Counts.Repeated + 1 };
            if (outcome == LoginOutcome.Wrong)
                ledger.NameOf(turn, isUser);
            ledger.GiveBack(turn, outcome, ref news);
            if (outcome == LoginOutcome.Right)
            {
                var pair = new BudgetKey(turn.Account, turn.Place.Network);
                ledger.Remembered.Add(pair);
                ledger.Clear(BudgetKind.AccountAndNetwork, pair, ref news);
                ledger.Clear(BudgetKind.Device, pair, ref news);
            }

            if (crowded > 0)
                (signal, settled) = (settled, NewSignal());
        }

        signal?.TrySetResult();
        Tell(news);
    }

    /// <summary>
    /// A token turned out to be a login of <paramref name="account"/>, which it need not have said before: the place is known from now on.
    /// </summary>
    public void Remember(in LoginTurn turn, string account)
    {
        if (!turn.IsCounted)
            return;
        var digest = ledger.DigestOf(account);
        lock (gate)
            ledger.Remembered.Add(new BudgetKey(digest, turn.Place.Network));
    }

    /// <summary>Addresses whose budget is used up, so that their guesses are not checked.</summary>
    public int PausedAddresses
    {
        get
        {
            lock (gate)
            {
                var now = clock.GetTimestamp();
                return ledger.Levels.Where(static one => one.Kind == BudgetKind.Address)
                    .Sum(one => one.All(now).Count(entry => one.Strain(entry.Level) is not null && !one.HasRoom(entry.Level)));
            }
        }
    }

    /// <summary>Who is slowed or paused, the fullest first.</summary>
    /// <param name="target">Only what concerns an address and its network, or an account, as for <see cref="Lift"/>; null for all.</param>
    public ImmutableArray<LoginBlock> Blocks(string? target = null)
    {
        Func<BudgetKey, bool> isMeant = target is null ? static _ => true : Meant(target);
        lock (gate)
        {
            var now = clock.GetTimestamp();
            return
            [
                .. ledger.Levels.SelectMany(
                    one => one.All(now)
                        .Where(entry => one.Strain(entry.Level) is not null && isMeant(entry.Key))
                        .Select(entry => (one, entry.Key, entry.Level)))
                    .OrderByDescending(static e => e.Level.Used / e.one.Budget.Count)
                    .Select(e => new LoginBlock(
                        ledger.Describe(e.one.Kind, e.Key),
                        e.one.HasRoom(e.Level) ? "slowed" : "paused",
                        (int)Math.Ceiling(e.Level.Used),
                        e.one.Budget.ToString(),
                        clock.GetUtcNow() + (e.one.Budget.Window * ((e.Level.Used / e.one.Budget.Count) - 0.5)))),
            ];
        }
    }

    /// <summary>
    /// Forgets the wrong logins of an address and its network, or of an account wherever it is. The number of budgets that held some.
    /// </summary>
    /// <param name="target">An address, a network as the list shows it, or an account in any spelling.</param>
    public int Lift(string target)
    {
        var isMeant = Meant(target);
        var (lifted, news) = (0, default(ProtectionNews));
        lock (gate)
        {
            var now = clock.GetTimestamp();
            foreach (var one in ledger.Levels)
            {
                foreach (var (budget, level) in one.All(now))
                {
                    if (!isMeant(budget) || level.Used <= 0)
                        continue;
                    lifted++;
                    var empty = level with { Used = 0 };
                    one.Write(budget, empty);
                    ledger.Calm(one, budget, empty, ref news);
                }
            }
        }

        Tell(news);
        return lifted;
    }

    /// <summary>
    /// Reads what <see cref="Save"/> wrote. A file that is damaged or made with another key is told, set aside and begun anew; one that
    /// cannot be read is told and left as it is.
    /// </summary>
    public void Load(string path)
    {
        string[] lines;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxOctets })
                throw new FormatException("it is too large");
            lines = File.ReadAllLines(path, Encoding.ASCII);
            lock (gate)
                ProtectionText.Read(lines, ledger, clock);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            lock (gate)
                ledger.Forget();
            Told("login_protection_begun_anew", $"{path}: {e.Message}; it is kept as {path}.damaged");
            try
            {
                File.Move(path, $"{path}.damaged", overwrite: true);
            }
            catch (Exception again) when (again is IOException or UnauthorizedAccessException)
            {
                Told("login_protection_begun_anew", $"{path} cannot be set aside: {again.Message}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            isUnreadable = true;
            Told("login_protection_begun_anew", $"{path} cannot be read, and is not written until the next start: {e.Message}");
        }
    }

    /// <summary>Writes a new file beside <paramref name="path"/>, syncs it and puts it in its place. What fails is told.</summary>
    public void Save(string path)
    {
        if (!options.IsEnabled || isUnreadable)
            return;
        string text;
        lock (gate)
            text = ProtectionText.Write(ledger, clock);
        var fresh = $"{path}.new";
        try
        {
            File.Delete(fresh);
            var own = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                own.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(fresh, own))
            {
                file.Write(Encoding.ASCII.GetBytes(text));
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Told("login_protection_not_kept", $"{path}: {e.Message}");
        }
    }

    private Func<BudgetKey, bool> Meant(string target)
    {
        if (IPAddress.TryParse(target.Split('/')[0], out var address))
        {
            if (address.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
                return static _ => false;
            var at = LoginPlace.Of(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
            return budget =>
                budget.Place != default && (budget.Place == at.Address || budget.Place == at.Network || budget.Place == at.Region);
        }

        var account = ledger.DigestOf(LoginNames.TryCanonical(target, out var canonical) ? canonical : target);
        return budget => budget.Account == account;
    }

    private LoginTurn? Begin(string account, string? peer) =>
        !options.IsEnabled || !LoginPlace.TryRead(peer, out var place, out var address) || IsExempt(address)
            ? null
            : LoginTurn.Free with
            {
                Account = ledger.DigestOf(account),
                Name = account,
                Place = place,
                IsCounted = true,
                IsNameless = ReferenceEquals(account, Nameless),
            };

    private LoginEntry Enter(in LoginTurn turn)
    {
        var news = default(ProtectionNews);
        LoginEntry entry;
        lock (gate)
            entry = ledger.Take(turn, ref news);
        Tell(news);
        return entry;
    }

    private async ValueTask<LoginTurn> WaitAsync(LoginTurn turn, LoginEntry entry, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var wasCrowded = entry.IsCrowded;
        lock (gate)
        {
            if (waiting >= options.MostWaiting)
                return Overflow(entry);
            waiting++;
            ledger.Counts = ledger.Counts with { Delayed = ledger.Counts.Delayed + 1 };
            if (wasCrowded)
                crowded++;
        }

        try
        {
            while (entry.IsCrowded)
            {
                // Taken before the budgets are asked once more, so that nothing that is settled in between is missed.
                Task others;
                lock (gate)
                    others = settled.Task;
                entry = Enter(turn);
                if (entry.IsCrowded && !await HappensAsync(others, options.LongestDelay - clock.GetElapsedTime(began), ct))
                {
                    lock (gate)
                        return Overflow(entry);
                }
            }

            if (entry.Delay > TimeSpan.Zero)
                await Task.Delay(entry.Delay, clock, ct);
            return entry.Turn;
        }
        catch (OperationCanceledException)
        {
            if (!entry.IsCrowded)
                Settle(entry.Turn, LoginOutcome.Unchecked);
            throw;
        }
        finally
        {
            lock (gate)
            {
                waiting--;
                if (wasCrowded)
                    crowded--;
            }
        }
    }

    private async ValueTask<bool> HappensAsync(Task others, TimeSpan within, CancellationToken ct)
    {
        if (within <= TimeSpan.Zero)
            return false;
        try
        {
            await others.WaitAsync(within, clock, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>There is no room to wait in. Under the gate.</summary>
    private LoginTurn Overflow(in LoginEntry entry)
    {
        if (entry.IsCrowded)
        {
            ledger.Counts = ledger.Counts with { Crowded = ledger.Counts.Crowded + 1 };
            return new LoginTurn(new LoginAnswer.Unavailable("too many logins from there, or of this account, are being checked"));
        }

        // Whoever came again gets its one look: strangers must not be able to fill the room before it.
        if (entry.Turn.IsNewcomer)
            return entry.Turn;
        var news = default(ProtectionNews);
        ledger.GiveBack(entry.Turn, LoginOutcome.Unchecked, ref news);
        ledger.Counts = ledger.Counts with { Closed = ledger.Counts.Closed + 1 };
        return new LoginTurn(new LoginAnswer.TooMany("logins from there are slowed, and too many are waiting already"));
    }

    private bool IsExempt(IPAddress address)
    {
        foreach (var network in options.Exempt)
        {
            if (network.Contains(address))
                return true;
        }

        return false;
    }

    private void Tell(in ProtectionNews news)
    {
        foreach (var (what, detail, spent) in news.All)
        {
            Told(what, detail);
            if (spent is not null)
                Told(spent);
        }
    }

    /// <summary>One budget is told once on its way up; strangers have many, so that is within what strangers may write.</summary>
    private void Told(BudgetSpent spent)
    {
        var place = spent.Place == default ? IPAddress.Any : LoginPlace.AddressOf(spent.Place);
        audit.Append(new LimitEvent(clock.GetUtcNow(), "logins", spent.State, spent.Whose)
        {
            Allowed = spent.Budget.ToString(),
            Used = spent.Used,
            Cause = new AuditCause(AuditKind.Server, place, Login: null, "limit", "logins"),
        });
    }

    private void Told(string what, string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
