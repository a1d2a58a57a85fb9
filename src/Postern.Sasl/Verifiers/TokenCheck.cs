namespace Postern.Sasl.Verifiers;

/// <summary>What a verifier says to a bearer token.</summary>
public abstract record TokenCheck
{
    private TokenCheck()
    {
    }

    /// <summary>Words for the client; null for the protocol's own.</summary>
    public OutcomeText? Text { get; init; }

    /// <summary>Valid; <paramref name="User"/> is the canonical name of the user it speaks for.</summary>
    public sealed record Match(string User) : TokenCheck
    {
        /// <summary>Kept with the login for whoever asks later; not printed.</summary>
        public object? LoginData { get; init; }

        /// <summary>Whether this still holds, for as long as the login is used; null where nobody can say, and then it holds.</summary>
        public ILoginAuthority? Authority { get; init; }

        /// <summary>The same answer about the same user; what is kept with it is not compared.</summary>
        public bool Equals(Match? other) => other is not null && User == other.User && Text == other.Text;

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(User, Text);

        /// <summary>The user, and nothing of what is kept.</summary>
        public override string ToString() => User;
    }

    /// <summary>Not valid here and now. <paramref name="Reason"/> and <paramref name="ClaimedUser"/> are for the audit trail only.</summary>
    /// <param name="Scope">The scope that would be needed, for the client; null when none is known.</param>
    public sealed record NoMatch(string Reason, string? ClaimedUser = null, bool UserExists = false, string? Scope = null) : TokenCheck;

    /// <summary>Valid, and not to be used by this mechanism: <see cref="SaslError.TooWeak"/> or <see cref="SaslError.TransitionNeeded"/>.</summary>
    public sealed record Refused(SaslError Error, string Reason) : TokenCheck;

    /// <summary>The verifier cannot answer now.</summary>
    public sealed record Unavailable(string Reason) : TokenCheck;

    /// <summary>Not checked, for too many wrong tokens came from there; the session ends. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record TooMany(string Reason) : TokenCheck;
}
