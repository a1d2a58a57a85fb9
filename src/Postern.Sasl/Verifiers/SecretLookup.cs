namespace Postern.Sasl.Verifiers;

/// <summary>What a store says to the question for a secret that a mechanism computes with.</summary>
public abstract record SecretLookup
{
    private SecretLookup()
    {
    }

    /// <summary><paramref name="User"/> is the canonical name.</summary>
    /// <param name="Secret">Stays the store's; never shown.</param>
    /// <param name="Refusal">Why the user may not log in although the proof may be right; null when it may. For the audit trail only.</param>
    public sealed record Found(string User, ReadOnlyMemory<byte> Secret, string? Refusal = null) : SecretLookup
    {
        /// <summary>Whether this still holds, for as long as the login is used; null where nobody can say, and then it holds.</summary>
        public ILoginAuthority? Authority { get; init; }

        /// <summary>The same secret of other spellings of the password; a client may have used any.</summary>
        public IReadOnlyList<ReadOnlyMemory<byte>> OtherSpellings { get; init; } = [];

        /// <summary>HMAC-MD5 of a challenge, where the store has what that needs and not the secret, which is then empty; null where the secret is there.</summary>
        public Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? Hmac { get; init; }

        /// <summary>The user, without the secret.</summary>
        public override string ToString() => User;
    }

    /// <summary>Nobody of that name, or no secret of this kind. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record Absent(string Reason, bool UserExists) : SecretLookup;

    /// <summary>
    /// Not by this mechanism: <see cref="SaslError.TooWeak"/>, or <see cref="SaslError.TransitionNeeded"/> where a login by PLAIN would make the secret.
    /// Said before any proof: the client learns that the user exists.
    /// </summary>
    public sealed record Refused(SaslError Error, string Reason) : SecretLookup;

    /// <summary>The store cannot answer now.</summary>
    public sealed record Unavailable(string Reason) : SecretLookup;
}
