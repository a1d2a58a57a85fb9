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

    /// <summary>Checking failed by a fault of the program.</summary>
    public sealed record Unavailable(string Reason) : LoginCheck;

    /// <summary>Nothing was computed: there was no place for it.</summary>
    public sealed record Busy(string Reason) : LoginCheck;

    /// <summary>
    /// Tries every credential until one matches. A wrong password costs all of them. One that cannot be computed here matches nothing: 454 in its
    /// place would tell that the user exists. The reason says so.
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
                    answer = new NoMatch($"the credential {credential.Name} expired at {credential.ExpiresAt:u}");
                    break;
                case HashAnswer.Unavailable(var reason):
                    answer = new NoMatch($"credential {credential.Name}: {reason}");
                    break;
            }
        }

        return answer;
    }
}
