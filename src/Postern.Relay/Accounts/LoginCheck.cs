using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts;

/// <summary>What a user's credentials, taken together, say to a password.</summary>
public abstract record LoginCheck
{
    private LoginCheck()
    {
    }

    /// <summary>This credential matched and had not expired.</summary>
    public sealed record Match(StoredCredential Credential) : LoginCheck;

    public sealed record NoMatch(string Reason) : LoginCheck;

    /// <summary>Whether it is right cannot be said: the program failed, or something is missing on this machine.</summary>
    public sealed record Unavailable(string Reason) : LoginCheck;

    /// <summary>Nothing was computed: there was no place for it.</summary>
    public sealed record Busy(string Reason) : LoginCheck;

    /// <summary>
    /// Tries every credential until one matches. What does not log in costs all of them, and then what is missing to <paramref name="atLeast"/>, so that the time
    /// does not tell one user from another, nor from none. A stored text that is no hash matches nothing: 454 in its place would tell that the user
    /// exists; the reason says so.
    /// </summary>
    /// <param name="atLeast">What the costliest user costs. Where a part of it cannot be computed here, that is the answer to everybody who does not log in.</param>
    /// <param name="spent">Hears what was computed.</param>
    internal static LoginCheck Run(StoredLogin login, ReadOnlySpan<byte> password, HashCosts atLeast, DateTimeOffset now, Action<HashCost>? spent = null)
    {
        LoginCheck answer = new NoMatch("wrong password");
        string? missing = null;
        foreach (var credential in login.Credentials)
        {
            spent?.Invoke(credential.Hash.Cost);
            switch (credential.Hash.Verify(password))
            {
                case HashAnswer.Match when login.Refusal is null && !(credential.ExpiresAt <= now):
                    return new Match(credential);
                case HashAnswer.Match when login.Refusal is null:
                    answer = new NoMatch($"the credential {credential.Name} expired at {credential.ExpiresAt:u}");
                    break;
                case HashAnswer.Unusable(var reason):
                    answer = new NoMatch($"credential {credential.Name}: {reason}");
                    break;
                case HashAnswer.Unavailable(var reason):
                    missing ??= $"credential {credential.Name}: {reason}";
                    break;
            }
        }

        foreach (var (cost, like) in atLeast.Beyond(login.Costs))
        {
            spent?.Invoke(cost);
            if (like.Spend(cost, password) is HashAnswer.Unavailable(var reason))
                missing ??= reason;
        }

        return missing is null ? login.Refusal is { } refusal ? new NoMatch(refusal) : answer : new Unavailable(missing);
    }
}
