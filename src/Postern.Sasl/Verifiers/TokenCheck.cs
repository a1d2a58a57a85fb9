namespace Postern.Sasl.Verifiers;

/// <summary>What a verifier says to a bearer token.</summary>
public abstract record TokenCheck
{
    private TokenCheck()
    {
    }

    /// <summary>Valid; <paramref name="User"/> is the canonical name of the user it speaks for.</summary>
    public sealed record Match(string User) : TokenCheck;

    /// <summary>Not valid here and now. <paramref name="Reason"/> and <paramref name="ClaimedUser"/> are for the audit trail only.</summary>
    /// <param name="Scope">The scope that would be needed, for the client; null when none is known.</param>
    public sealed record NoMatch(string Reason, string? ClaimedUser = null, bool UserExists = false, string? Scope = null) : TokenCheck;

    /// <summary>The verifier cannot answer now.</summary>
    public sealed record Unavailable(string Reason) : TokenCheck;
}
