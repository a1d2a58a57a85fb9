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

    /// <summary>A stored hash could not be computed.</summary>
    public sealed record Unavailable(string Reason) : LoginCheck;

    /// <summary>Nothing was computed: there was no place for it.</summary>
    public sealed record Busy(string Reason) : LoginCheck;

    /// <summary>
    /// Tries every credential until one matches. A wrong password costs all of them. Where none matches and one could not be
    /// computed, the answer is not known: <see cref="Unavailable"/>.
    /// </summary>
    internal static LoginCheck Run(StoredLogin login, ReadOnlySpan<byte> password, DateTimeOffset now)
    {
        LoginCheck answer = new NoMatch("wrong password");
        foreach (var credential in login.Credentials)
        {
            switch (credential.Hash.Verify(password))
            {
                case HashAnswer.Match when !(credential.ExpiresAt <= now):
                    return new Match(credential);
                case HashAnswer.Match:
                    answer = answer is Unavailable ? answer : new NoMatch($"the credential {credential.Name} expired at {credential.ExpiresAt:u}");
                    break;
                case HashAnswer.Unavailable(var reason):
                    answer = new Unavailable($"credential {credential.Name}: {reason}");
                    break;
            }
        }

        return answer;
    }
}
