namespace Postern.Sasl.Verifiers;

/// <summary>What a store says to a user name and a password.</summary>
public abstract record PasswordCheck
{
    private PasswordCheck()
    {
    }

    /// <summary>Words for the client; null for the protocol's own.</summary>
    public OutcomeText? Text { get; init; }

    /// <summary>The password is right; <paramref name="User"/> is the user's canonical name.</summary>
    public sealed record Match(string User) : PasswordCheck
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

    /// <summary>
    /// Wrong, unknown or disabled. Both values are for the audit trail only: people type passwords as user names, so a name that does not
    /// exist is to be masked there.
    /// </summary>
    public sealed record NoMatch(string Reason, bool UserExists) : PasswordCheck;

    /// <summary>
    /// Not by this mechanism: <see cref="SaslError.TooWeak"/> or <see cref="SaslError.TransitionNeeded"/>. The client learns that the user exists,
    /// so say it to a right password only. <paramref name="Reason"/> is for the audit trail only.
    /// </summary>
    public sealed record Refused(SaslError Error, string Reason) : PasswordCheck;

    /// <summary>The store cannot answer now. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record Unavailable(string Reason) : PasswordCheck;

    /// <summary>Not checked, for too many wrong secrets came from there; the session ends. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record TooMany(string Reason) : PasswordCheck;
}
