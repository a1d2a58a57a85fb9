namespace Postern.Sasl.Verifiers;

/// <summary>What a store says to a user name and a password.</summary>
public abstract record PasswordCheck
{
    private PasswordCheck()
    {
    }

    /// <summary>The password is right; <paramref name="User"/> is the user's canonical name.</summary>
    public sealed record Match(string User) : PasswordCheck;

    /// <summary>
    /// Wrong, unknown or disabled. Both values are for the audit trail only: people type passwords as user names, so a name that does not
    /// exist is to be masked there.
    /// </summary>
    public sealed record NoMatch(string Reason, bool UserExists) : PasswordCheck;

    /// <summary>The store cannot answer now. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record Unavailable(string Reason) : PasswordCheck;
}
