using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Audit;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// How many wrong secrets are checked: of an account from one network, of an account, of an address and of a network. A login takes its place in all
/// of them before it is checked, so that guesses in parallel get no more than guesses one after another, and gives it back where it was no guess.
/// An account that logged in from a network before has one budget of its own there, whatever others do. Bounded; holds digests, never a secret.
/// </summary>
public sealed partial class LoginProtection
{
    /// <summary>Stands for the account of a token that does not say whose it is; no name is like it.</summary>
    public const string Nameless = "\0token";

    private volatile LoginProtectionOptions options;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly byte[] key;
    private readonly Lock gate = new();
    private TaskCompletionSource settled = NewSignal();
    private int waiting;
    private int crowded;

    /// <param name="key">Makes digests of account names; what is kept in a file is of use with the same key only. Null: one that ends with the process.</param>
    public LoginProtection(LoginProtectionOptions options, IAuditLog audit, TimeProvider clock, ReadOnlySpan<byte> key = default)
    {
        this.options = options;
        this.audit = audit;
        this.clock = clock;
        this.key = key.IsEmpty ? RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes) : HMACSHA256.HashData(key, "login protection"u8);
        levels = [.. Enum.GetValues<BudgetKind>().Select(kind => new BudgetLevels(kind, BudgetOf(kind), options.Capacity, clock))];
        wrong = new(options.Capacity, TimeSpan.FromDays(1), clock);
        asked = new(options.Capacity, TimeSpan.FromHours(1), clock);
        remembered = new(options.DeviceCapacity, DeviceLife, clock);
    }

    /// <summary>Takes other settings from now on. What was counted stays counted, in the new budgets; who is known stays known.</summary>
    public void Apply(LoginProtectionOptions settings)
    {
        lock (gate)
        {
            if (settings == options)
                return;
            options = settings;
            var now = clock.GetTimestamp();
            foreach (var one in levels)
                one.Apply(BudgetOf(one.Kind), settings.Capacity, now);
            (wrong.Capacity, asked.Capacity, remembered.Capacity) = (settings.Capacity, settings.Capacity, settings.DeviceCapacity);
        }
    }

    /// <summary>How long a place is known from which an account logged in.</summary>
    public static TimeSpan DeviceLife { get; } = TimeSpan.FromDays(90);

    /// <summary>How much later a login from a new place is asked again, where the budget of its account is used up, before it is checked.</summary>
    public static TimeSpan ComeAgain { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether <paramref name="account"/> (canonical) logged in from that network before. Cheap; asks nobody.</summary>
    public bool IsKnown(string account, string? peer)
    {
        if (!options.IsEnabled || !LoginPlace.TryRead(peer, out var place, out _))
            return false;
        var digest = DigestOf(account);
        lock (gate)
            return remembered.Contains(new BudgetKey(digest, place.Network));
    }

    /// <summary>
    /// Takes a place in every budget that concerns this login, after a delay where one of them is half used. The outcome is told to <see cref="Settle"/>.
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
            turn = turn with { IsRemembered = remembered.Contains(new BudgetKey(turn.Account, turn.Place.Network)) };
            return Exhausted(turn, clock.GetTimestamp()) is { } kind ? Refusal(kind, turn) : null;
        }
    }

    /// <summary>
    /// What a secret was: only a wrong one that was not known to be wrong stays in the budgets, and only a right one makes a place known. A right one clears the
    /// budget of its own account at its own network, once in the time of that budget, and nobody else's.
    /// </summary>
    /// <param name="secret">Which secret of which account it was; default where the server cannot see that two are the same.</param>
    /// <param name="isUser">There is such an account; else its name is masked.</param>
    public void Settle(in LoginTurn turn, LoginOutcome outcome, VerificationKey secret = default, bool isUser = false)
    {
        if (!turn.IsCounted)
            return;
        var news = default(News);
        TaskCompletionSource? signal = null;
        lock (gate)
        {
            if (outcome == LoginOutcome.Wrong && secret != default)
            {
                if (wrong.Contains(secret))
                    outcome = LoginOutcome.Repeated;
                else
                    wrong.Add(secret);
            }

            if (outcome == LoginOutcome.Repeated)
                counts = counts with { Repeated = counts.Repeated + 1 };
            if (outcome == LoginOutcome.Wrong)
                NameOf(turn, isUser);
            GiveBack(turn, outcome, ref news);
            if (outcome == LoginOutcome.Right)
            {
                var pair = new BudgetKey(turn.Account, turn.Place.Network);
                remembered.Add(pair);
                Clear(BudgetKind.AccountAndNetwork, pair, ref news);
                Clear(BudgetKind.Device, pair, ref news);
            }

            if (crowded > 0)
                (signal, settled) = (settled, NewSignal());
        }

        signal?.TrySetResult();
        Tell(news);
    }

    /// <summary>A token turned out to be a login of <paramref name="account"/>, which it need not have said before: the place is known from now on.</summary>
    public void Remember(in LoginTurn turn, string account)
    {
        if (!turn.IsCounted)
            return;
        var digest = DigestOf(account);
        lock (gate)
            remembered.Add(new BudgetKey(digest, turn.Place.Network));
    }

    private LoginTurn? Begin(string account, string? peer) =>
        !options.IsEnabled || !LoginPlace.TryRead(peer, out var place, out var address) || IsExempt(address)
            ? null
            : LoginTurn.Free with { Account = DigestOf(account), Name = account, Place = place, IsCounted = true, IsNameless = ReferenceEquals(account, Nameless) };

    private Entry Enter(in LoginTurn turn)
    {
        var news = default(News);
        Entry entry;
        lock (gate)
            entry = Take(turn, ref news);
        Tell(news);
        return entry;
    }

    private async ValueTask<LoginTurn> WaitAsync(LoginTurn turn, Entry entry, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var wasCrowded = entry.IsCrowded;
        lock (gate)
        {
            if (waiting >= options.MostWaiting)
                return Overflow(entry);
            waiting++;
            counts = counts with { Delayed = counts.Delayed + 1 };
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
    private LoginTurn Overflow(in Entry entry)
    {
        if (entry.IsCrowded)
        {
            counts = counts with { Crowded = counts.Crowded + 1 };
            return new LoginTurn(new LoginAnswer.Unavailable("too many logins from there, or of this account, are being checked"));
        }

        // Whoever came again gets its one look: strangers must not be able to fill the room before it.
        if (entry.Turn.IsNewcomer)
            return entry.Turn;
        var news = default(News);
        GiveBack(entry.Turn, LoginOutcome.Unchecked, ref news);
        counts = counts with { Closed = counts.Closed + 1 };
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

    private UInt128 DigestOf(string account)
    {
        Span<byte> name = stackalloc byte[Encoding.UTF8.GetMaxByteCount(LoginNames.MaxLength)];
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (Encoding.UTF8.TryGetBytes(account, name, out var length))
            HMACSHA256.HashData(key, name[..length], digest);
        else
            HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(account), digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What came of asking for a place.</summary>
    /// <param name="Delay">To be waited with the place taken.</param>
    /// <param name="IsCrowded">No place was taken: those that are being checked now may need it.</param>
    private readonly record struct Entry(LoginTurn Turn, TimeSpan Delay, bool IsCrowded);
}
