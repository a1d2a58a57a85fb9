using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// The budgets and what they hold: who is how far, who is known, which wrong secrets were seen. The arithmetic of
/// <see cref="LoginProtection"/>, which asks under its gate; what is to be told is told behind that.
/// </summary>
internal sealed class ProtectionLedger
{
    private readonly TimeProvider clock;
    private readonly byte[] key;
    private readonly Dictionary<UInt128, string> names = [];
    private readonly RecentKeys<BudgetKey> asked;
    private LoginProtectionOptions options;

    /// <param name="key">Makes digests of account names. Empty: one that ends with the process.</param>
    public ProtectionLedger(LoginProtectionOptions options, TimeProvider clock, ReadOnlySpan<byte> key)
    {
        this.options = options;
        this.clock = clock;
        this.key = key.IsEmpty
            ? RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes)
            : HMACSHA256.HashData(key, "login protection"u8);
        Levels = [.. Enum.GetValues<BudgetKind>().Select(kind => new BudgetLevels(kind, BudgetOf(kind), options.Capacity, clock))];
        Wrong = new(options.Capacity, TimeSpan.FromDays(1), clock);
        asked = new(options.Capacity, TimeSpan.FromHours(1), clock);
        Remembered = new(options.DeviceCapacity, LoginProtection.DeviceLife, clock);
    }

    public BudgetLevels[] Levels { get; }

    /// <summary>Secrets that are known to be wrong.</summary>
    public RecentKeys<VerificationKey> Wrong { get; }

    /// <summary>Accounts at the networks from which they logged in.</summary>
    public RecentKeys<BudgetKey> Remembered { get; }

    /// <summary>Since start.</summary>
    public LoginProtectionCounts Counts { get; set; }

    /// <summary>Entries kept now, of every kind.</summary>
    public int Count => Levels.Sum(static l => l.Count) + Wrong.Count + Remembered.Count + asked.Count + names.Count;

    /// <summary>What was counted stays counted, in the new budgets; who is known stays known.</summary>
    public void Apply(LoginProtectionOptions settings)
    {
        options = settings;
        var now = clock.GetTimestamp();
        foreach (var one in Levels)
            one.Apply(BudgetOf(one.Kind), settings.Capacity, now);
        (Wrong.Capacity, asked.Capacity, Remembered.Capacity) = (settings.Capacity, settings.Capacity, settings.DeviceCapacity);
    }

    /// <summary>Forgets the levels, and not who is known.</summary>
    public void Forget()
    {
        foreach (var one in Levels)
        {
            foreach (var (budget, _) in one.All(clock.GetTimestamp()))
                one.Forget(budget);
        }
    }

    /// <summary>The keyed digest of an account's name.</summary>
    public UInt128 DigestOf(string account)
    {
        Span<byte> name = stackalloc byte[Encoding.UTF8.GetMaxByteCount(LoginNames.MaxLength)];
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (Encoding.UTF8.TryGetBytes(account, name, out var length))
            HMACSHA256.HashData(key, name[..length], digest);
        else
            HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(account), digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    public BudgetLevels this[BudgetKind kind] => Levels[(int)kind];

    private RateLimit BudgetOf(BudgetKind kind) => kind switch
    {
        BudgetKind.AccountAndNetwork => options.AccountAndNetwork,
        BudgetKind.Account => options.Account,
        BudgetKind.Address => options.Address,
        BudgetKind.Network => options.Network,
        BudgetKind.Device => options.Device,
        _ => options.Newcomer,
    };

    private static bool Concerns(BudgetKind kind, in LoginTurn turn) => kind switch
    {
        BudgetKind.Device => turn.IsRemembered,
        BudgetKind.AccountAndNetwork or BudgetKind.Account => turn is { IsRemembered: false, IsNameless: false },
        BudgetKind.Newcomer => turn.IsNewcomer,
        _ => !turn.IsRemembered,
    };

    private static BudgetKey KeyOf(BudgetKind kind, in LoginTurn turn) => kind switch
    {
        BudgetKind.Account => new(turn.Account, default),
        BudgetKind.Address => new(default, turn.Place.Address),
        BudgetKind.Network => new(default, turn.Place.Network),
        BudgetKind.Newcomer => new(turn.Account, turn.Place.Region),
        _ => new(turn.Account, turn.Place.Network),
    };

    /// <summary>
    /// The first budget in which there is no room whatever comes of those that are being checked; the account's own, which leaves a way in,
    /// is not asked.
    /// </summary>
    public BudgetKind? Exhausted(in LoginTurn turn, long now)
    {
        foreach (var one in Levels)
        {
            if (one.Kind != BudgetKind.Account && Concerns(one.Kind, turn) && !one.HasRoom(one.Read(KeyOf(one.Kind, turn), now)))
                return one.Kind;
        }

        return null;
    }

    private bool IsAccountExhausted(in LoginTurn turn, long now) =>
        Concerns(BudgetKind.Account, turn)
        && !this[BudgetKind.Account].HasRoom(this[BudgetKind.Account].Read(KeyOf(BudgetKind.Account, turn), now));

    public LoginEntry Take(LoginTurn turn, ref ProtectionNews news)
    {
        var now = clock.GetTimestamp();
        turn = turn with { IsRemembered = Remembered.Contains(new BudgetKey(turn.Account, turn.Place.Network)) };
        var full = Exhausted(turn, now);
        if (full is null && IsAccountExhausted(turn, now))
        {
            turn = turn with { IsNewcomer = IsBack(turn) };
            full = turn.IsNewcomer && Exhausted(turn, now) is null ? null : BudgetKind.Account;
        }

        if (full is { } kind)
        {
            Counts = Counts.With(kind);
            return new LoginEntry(new LoginTurn(new LoginAnswer.Unavailable(Refusal(kind, turn))), TimeSpan.Zero, IsCrowded: false);
        }

        double? strain = null;
        foreach (var one in Levels)
        {
            if (!Concerns(one.Kind, turn) || (turn.IsNewcomer && one.Kind == BudgetKind.Account))
                continue;
            var budget = KeyOf(one.Kind, turn);
            var level = one.Read(budget, now);
            Calm(one, budget, level, ref news);
            if (!one.HasRoomBesideReserved(level))
                return new LoginEntry(turn, TimeSpan.Zero, IsCrowded: true);
            if (one.Kind != BudgetKind.Newcomer && one.Strain(level) is { } found && !(found < strain))
                strain = found;
        }

        foreach (var one in Levels)
        {
            if (!Concerns(one.Kind, turn))
                continue;
            var budget = KeyOf(one.Kind, turn);
            var level = one.Read(budget, now);
            one.Write(budget, level with { Reserved = level.Reserved + 1 });
        }

        var delay = turn.IsNewcomer ? options.LongestDelay
            : strain is { } part ? options.LongestDelay * (0.125 + (0.875 * part))
            : TimeSpan.Zero;
        return new LoginEntry(turn, delay, IsCrowded: false);
    }

    /// <summary>
    /// An account under attack from many places must not keep out its owner at a new one. Who comes again from the same place some time
    /// later is no address that is used once and thrown away; each place has few guesses that way.
    /// </summary>
    private bool IsBack(in LoginTurn turn)
    {
        var place = new BudgetKey(turn.Account, turn.Place.Region);
        if (asked.AgeOf(place) is { } age)
            return age >= LoginProtection.ComeAgain;
        asked.Add(place);
        return false;
    }

    public void GiveBack(in LoginTurn turn, LoginOutcome outcome, ref ProtectionNews news)
    {
        var now = clock.GetTimestamp();
        foreach (var one in Levels)
        {
            if (!Concerns(one.Kind, turn))
                continue;
            var budget = KeyOf(one.Kind, turn);
            var level = one.Read(budget, now);
            level = level with { Reserved = Math.Max(0, level.Reserved - 1) };
            if (outcome == LoginOutcome.Wrong
                || (outcome == LoginOutcome.Unanswered && one.Kind is BudgetKind.Address or BudgetKind.Network or BudgetKind.Device))
            {
                // No further than full: what was let in beyond an account's budget does not make it last longer.
                level = level with { Used = Math.Min(Math.Max(level.Used, one.Budget.Count), level.Used + 1) };
                level = Heat(one, budget, level, ref news);
            }

            one.Write(budget, level);
        }
    }

    /// <summary>
    /// What was slowed is told to be slow no more at a quarter of its budget, so that a guess at the half of it is not told each time.
    /// </summary>
    public void Calm(BudgetLevels one, BudgetKey budget, in BudgetLevel level, ref ProtectionNews news)
    {
        if (level.Stage == BudgetStage.Calm || level.Used > one.Budget.Count / 4.0)
            return;
        one.Write(budget, level with { Stage = BudgetStage.Calm });
        news.Add("logins_resumed", $"{Describe(one.Kind, budget)}: logins are checked at once again");
    }

    private BudgetLevel Heat(BudgetLevels one, BudgetKey budget, in BudgetLevel level, ref ProtectionNews news)
    {
        var stage = !one.HasRoom(level) ? BudgetStage.Paused : one.Strain(level) is not null ? BudgetStage.Slowed : BudgetStage.Calm;
        if (stage <= level.Stage || one.Kind == BudgetKind.Newcomer)
            return level;
        var isPaused = stage == BudgetStage.Paused;
        var whose = Describe(one.Kind, budget);
        var spent = new BudgetSpent(
            isPaused ? LimitState.Exceeded : LimitState.Warned, whose, budget.Place, one.Budget, (int)Math.Ceiling(level.Used));
        if (isPaused)
            news.Add("logins_paused", $"{whose}: no login is checked, too many were wrong (budget {one.Budget})", spent);
        else
            news.Add("logins_slowed", $"{whose}: logins wait before they are checked, many were wrong (budget {one.Budget})", spent);
        return level with { Stage = stage };
    }

    public void Clear(BudgetKind kind, BudgetKey budget, ref ProtectionNews news)
    {
        var (one, now) = (this[kind], clock.GetTimestamp());
        var level = one.Read(budget, now);
        if (level.Used <= 0 || (level.ClearedAt != 0 && clock.GetElapsedTime(level.ClearedAt, now) < one.Budget.Window))
            return;
        level = level with { Used = 0, ClearedAt = now };
        one.Write(budget, level);
        Calm(one, budget, level, ref news);
    }

    public string Refusal(BudgetKind kind, in LoginTurn turn) => string.Create(
        CultureInfo.InvariantCulture,
        $"too many wrong logins: {Describe(kind, KeyOf(kind, turn), turn.Name)} (budget {this[kind].Budget})");

    /// <param name="name">Of the account where it is at hand, not known to exist.</param>
    public string Describe(BudgetKind kind, BudgetKey budget, string? name = null)
    {
        var account = budget.Account == default ? string.Empty
            : names.TryGetValue(budget.Account, out var known) ? $"account {known}"
            : ReferenceEquals(name, LoginProtection.Nameless) || budget.Account == DigestOf(LoginProtection.Nameless) ? "tokens"
            : name is null ? string.Create(CultureInfo.InvariantCulture, $"account (unknown {(uint)(budget.Account >> 96):x8})")
            : $"account {LoginNames.Mask(name)}";
        return kind switch
        {
            BudgetKind.Account => account,
            BudgetKind.Address => $"address {LoginPlace.Text(budget.Place)}",
            BudgetKind.Network => $"network {LoginPlace.Text(budget.Place, 24, 48)}",
            BudgetKind.Newcomer => $"{account} from the new place {LoginPlace.Text(budget.Place, 24, 32)}",
            _ => $"{account} from {LoginPlace.Text(budget.Place, 24, 48)}",
        };
    }

    /// <summary>Keeps what the log may call the account: a name that no store knows may be a password that was typed there.</summary>
    public void NameOf(in LoginTurn turn, bool isUser)
    {
        if (turn.IsNameless || turn.Name is not { } name)
            return;
        if (names.Count >= options.Capacity && !names.ContainsKey(turn.Account))
            names.Clear();
        names[turn.Account] = isUser ? name : LoginNames.Mask(name);
    }
}
