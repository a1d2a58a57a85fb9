namespace Postern.Sasl.Verifiers;

/// <summary>What a store says to a user name and a password.</summary>
public abstract record PasswordCheck
{
    private PasswordCheck()
    {
    }

    /// <summary>The password is right; <paramref name="User"/> is the user's canonical name.</summary>
    public sealed record Match(string User) : PasswordCheck;

    /// <summary>Wrong, unknown or disabled. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record NoMatch(string Reason) : PasswordCheck;

    /// <summary>The store cannot answer now. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record Unavailable(string Reason) : PasswordCheck;
}
