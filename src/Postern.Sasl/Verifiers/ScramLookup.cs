namespace Postern.Sasl.Verifiers;

/// <summary>What a store says to the question for a SCRAM secret.</summary>
public abstract record ScramLookup
{
    private ScramLookup()
    {
    }

    /// <summary><paramref name="User"/> is the canonical name.</summary>
    /// <param name="Refusal">Why the user may not log in although the proof may be right, such as a disabled account; null when it may. For the audit trail only.</param>
    public sealed record Found(string User, ScramSecret Secret, string? Refusal = null) : ScramLookup
    {
        /// <summary>Whether this still holds, for as long as the login is used; null where nobody can say, and then it holds.</summary>
        public ILoginAuthority? Authority { get; init; }

        /// <summary>The user, and nothing of the secret.</summary>
        public override string ToString() => User;
    }

    /// <summary>Nobody of that name, or no secret of this kind. <paramref name="Reason"/> is for the audit trail only.</summary>
    /// <param name="Iterations">What a user like this one would have: a count that differs would give it away. Null: that of <see cref="Decoys"/>.</param>
    /// <param name="User">The canonical name, so that all spellings of it see one salt, as those of a user that exists do. Null: as it was asked for.</param>
    public sealed record Absent(string Reason, bool UserExists, int? Iterations = null, string? User = null) : ScramLookup;

    /// <summary>
    /// Not by this mechanism: <see cref="SaslError.TooWeak"/>, or <see cref="SaslError.TransitionNeeded"/> where a login by PLAIN would make the secret.
    /// Said before any proof: the client learns that the user exists.
    /// </summary>
    public sealed record Refused(SaslError Error, string Reason) : ScramLookup;

    /// <summary>The store cannot answer now.</summary>
    public sealed record Unavailable(string Reason) : ScramLookup;
}
