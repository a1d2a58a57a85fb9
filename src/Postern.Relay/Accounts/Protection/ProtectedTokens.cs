using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// Bearer tokens within the same budgets as passwords, which are asked before any request goes out. The same token at the same time is one
/// question, one that was wrong a moment ago is none, and only so many are asked about at a time.
/// </summary>
internal sealed class ProtectedTokens(ITokenVerifier verifier, LoginProtection protection, TimeProvider clock) : ITokenVerifier
{
    /// <summary>Tokens that are asked about at a time.</summary>
    public const int MostUnderWay = 32;

    private const int Capacity = 10_000;

    private static readonly LoginAnswer Full = new LoginAnswer.Unavailable("too many tokens are being checked");

    private readonly byte[] key = RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes);
    private readonly Lock gate = new();
    private readonly Dictionary<UInt128, Task<LoginAnswer>> underWay = [];
    private readonly Dictionary<UInt128, (LoginAnswer.NoMatch Check, long At)> wrong = [];
    private readonly RecentKeys<UInt128> right = new(Capacity, TimeSpan.FromDays(1), clock);

    /// <summary>How long a token that was wrong is not asked about again; one that is not valid yet may be so soon.</summary>
    public static TimeSpan WrongFor { get; } = TimeSpan.FromMinutes(1);

    public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) =>
        CheckTokenAsync(token, claimedUser: null, peer, ct);

    public async ValueTask<LoginAnswer> CheckTokenAsync(string token, string? claimedUser, string? peer, CancellationToken ct)
    {
        var account = claimedUser is null ? LoginProtection.Nameless
            : LoginNames.TryCanonical(claimedUser, out var canonical) ? canonical
            : claimedUser;
        var turn = await protection.EnterAsync(account, peer, ct);
        if (turn.Refusal is { } refusal)
            return refusal;

        var outcome = LoginOutcome.Unchecked;
        var digest = DigestOf(token);
        try
        {
            if (WrongBefore(digest) is { } known)
            {
                outcome = LoginOutcome.Repeated;
                return known;
            }

            var check = await AskOnceAsync(digest, token, peer).WaitAsync(ct);
            outcome = OutcomeOf(check, digest, claimedUser is null ? null : account);
            if (check is LoginAnswer.Match(var user))
                protection.Remember(turn, user);
            return check;
        }
        catch (OperationCanceledException)
        {
            outcome = LoginOutcome.Unanswered;
            throw;
        }
        finally
        {
            protection.Settle(turn, outcome);
        }
    }

    /// <summary>
    /// Where nobody answers, the place pays for the question: else a server of tokens that is down would be asked without end. A token that
    /// was right before is no stranger's. A right token of another account than the one that was named clears nothing of that one's.
    /// </summary>
    private LoginOutcome OutcomeOf(LoginAnswer check, UInt128 digest, string? account)
    {
        lock (gate)
        {
            switch (check)
            {
                case LoginAnswer.Match(var user):
                    right.Add(digest);
                    return account is null || account == user ? LoginOutcome.Right : LoginOutcome.Unchecked;
                case LoginAnswer.NoMatch no:
                    if (wrong.Count >= Capacity)
                        wrong.Clear();
                    wrong[digest] = (no, clock.GetTimestamp());
                    return LoginOutcome.Wrong;
                case LoginAnswer.Unavailable when !ReferenceEquals(check, Full) && !right.Contains(digest):
                    return LoginOutcome.Unanswered;
                default:
                    return LoginOutcome.Unchecked;
            }
        }
    }

    private LoginAnswer.NoMatch? WrongBefore(UInt128 digest)
    {
        lock (gate)
        {
            if (!wrong.TryGetValue(digest, out var known))
                return null;
            if (clock.GetElapsedTime(known.At) < WrongFor)
                return known.Check;
            wrong.Remove(digest);
            return null;
        }
    }

    /// <summary>The verifier bounds its own time; a client that leaves does not end it for the others.</summary>
    private Task<LoginAnswer> AskOnceAsync(UInt128 digest, string token, string? peer)
    {
        lock (gate)
        {
            if (underWay.TryGetValue(digest, out var asked))
                return asked;
            if (underWay.Count >= MostUnderWay)
                return Task.FromResult(Full);
            return underWay[digest] = Task.Run(() => AskAsync(digest, token, peer), CancellationToken.None);
        }
    }

    private async Task<LoginAnswer> AskAsync(UInt128 digest, string token, string? peer)
    {
        try
        {
            return await verifier.CheckTokenAsync(token, peer, CancellationToken.None);
        }
        finally
        {
            lock (gate)
                underWay.Remove(digest);
        }
    }

    private UInt128 DigestOf(string token)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(token), digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }
}
