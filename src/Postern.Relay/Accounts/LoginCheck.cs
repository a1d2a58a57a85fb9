using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Preparation;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>Checks a password against all credentials of a user.</summary>
internal static class LoginCheck
{
    /// <summary>
    /// Tries every credential until one matches. What does not log in costs all of them, and then what is missing to
    /// <paramref name="atLeast"/>, so that the time does not tell one user from another, nor from none. A stored text that is no hash
    /// matches nothing: 454 in its place would tell that the user exists; the reason says so.
    /// </summary>
    /// <returns>
    /// The credential that matched and had not expired; a mismatch; or that it cannot be said, for the program failed or something is
    /// missing on this machine.
    /// </returns>
    /// <param name="atLeast">
    /// What the costliest user costs. Where a part of it cannot be computed here, that is the answer to everybody who does not log in.
    /// </param>
    /// <param name="spent">Hears what was computed.</param>
    public static LoginAnswer Run(
        StoredLogin login, ReadOnlySpan<byte> password, HashCosts atLeast, DateTimeOffset now, Action<HashCost>? spent = null)
    {
        var spellings = PasswordText.Spellings(password);
        try
        {
            return Run(login, password, spellings, atLeast, now, spent);
        }
        finally
        {
            PasswordText.Zero(spellings);
        }
    }

    private static LoginAnswer Run(
        StoredLogin login,
        ReadOnlySpan<byte> password,
        IReadOnlyList<byte[]> spellings,
        HashCosts atLeast,
        DateTimeOffset now,
        Action<HashCost>? spent)
    {
        LoginAnswer answer = new LoginAnswer.NoMatch("wrong password", UserExists: true);
        string? missing = null;
        foreach (var (first, others) in Together(login.Credentials))
        {
            var (credential, verdict) = Verify(first, others, password, spellings, spent);
            switch (verdict)
            {
                case HashAnswer.Match when login.Refusal is null && (credential.WhyExpired(now) ?? credential.Obstacle) is { } objection:
                    answer = new LoginAnswer.NoMatch(objection, UserExists: true) { Credential = credential.Id };
                    break;
                case HashAnswer.Match when login.Refusal is null:
                    return new LoginAnswer.Found<StoredCredential>(login.User, credential);
                case HashAnswer.Unusable(var reason):
                    answer = new LoginAnswer.NoMatch($"credential {credential.Name}: {reason}", UserExists: true);
                    break;
                case HashAnswer.Unavailable(var reason):
                    missing ??= $"credential {credential.Name}: {reason}";
                    break;
            }
        }

        foreach (var (cost, like) in atLeast.Beyond(login.Costs))
        {
            for (var i = 0; i < (like.KnowsSpellings ? 1 : spellings.Count); i++)
            {
                spent?.Invoke(cost);
                if (like.Spend(cost, like.KnowsSpellings ? password : spellings[i]) is HashAnswer.Unavailable(var reason))
                    missing ??= reason;
            }
        }

        return missing is null
            ? login.Refusal is { } refusal ? new LoginAnswer.NoMatch(refusal, UserExists: true) : answer
            : new LoginAnswer.Unavailable(missing);
    }

    /// <summary>Each with those behind it that one computation serves, too.</summary>
    private static IEnumerable<(StoredCredential First, IReadOnlyList<StoredCredential> Others)> Together(
        ImmutableArray<StoredCredential> all)
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < all.Length; i++)
        {
            var computation = all[i].Hash.Computation;
            if (computation is null)
                yield return (all[i], []);
            else if (done.Add(computation))
                yield return (all[i], [.. all.Skip(i + 1).Where(one => one.Hash.Computation == computation)]);
        }
    }

    private static (StoredCredential Credential, HashAnswer Answer) Verify(
        StoredCredential first,
        IReadOnlyList<StoredCredential> others,
        ReadOnlySpan<byte> password,
        IReadOnlyList<byte[]> spellings,
        Action<HashCost>? spent)
    {
        if (others.Count == 0)
            return (first, Verify(first.Hash, password, spellings, spent));
        spent?.Invoke(first.Hash.Cost);
        StoredCredential[] all = [first, .. others];
        var at = ScramHash.FindMatch(all.Select(static one => one.Hash).Cast<ScramHash>(), password);
        return at < 0 ? (first, HashAnswer.NoMatch.Instance) : (all[at], HashAnswer.Match.Instance);
    }

    /// <summary>Every spelling in turn, the one that was sent first; how many there are depends on the password alone.</summary>
    private static HashAnswer Verify(
        PasswordHash hash, ReadOnlySpan<byte> password, IReadOnlyList<byte[]> spellings, Action<HashCost>? spent)
    {
        spent?.Invoke(hash.Cost);
        var answer = hash.Verify(hash.KnowsSpellings ? password : spellings[0]);
        for (var i = 1; i < spellings.Count && !hash.KnowsSpellings && answer is HashAnswer.NoMatch; i++)
        {
            spent?.Invoke(hash.Cost);
            answer = hash.Verify(spellings[i]);
        }

        return answer;
    }
}
