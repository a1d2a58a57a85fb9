namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// One stored secret, in a form of <see cref="HashSchemes.Families"/>: RFC 5803 (<c>SCRAM-SHA-256$…</c>), crypt(3) (<c>$y$</c>, <c>$6$</c>,
/// <c>$2b$</c> …), what other programs store, or, hardly a hash, <c>{PLAIN}…</c>. Anything else is kept as a hash that answers
/// <see cref="HashAnswer.Unusable"/>.
/// </summary>
/// <remarks>Derived classes answer for every octet string and every stored text; they do not throw.</remarks>
public abstract class PasswordHash(string stored)
{
    /// <summary>The form, fit to be shown: <c>SCRAM-SHA-256</c>, <c>$y$</c>.</summary>
    public abstract string Scheme { get; }

    /// <summary>The form as the end of a sentence: <c>a bcrypt hash</c>.</summary>
    public virtual string Description => $"a {Scheme} hash";

    /// <summary>Why whoever steals it soon has the password, as part of a sentence; null where that is slow.</summary>
    public virtual string? Weakness => null;

    /// <summary>What can be done with it.</summary>
    public virtual StoredForms Forms => StoredForms.Password;

    /// <summary>
    /// It knows a password in every spelling. Others are of octets, and are asked once for each
    /// (<see cref="Postern.Sasl.Preparation.PasswordText.Spellings"/>).
    /// </summary>
    public virtual bool KnowsSpellings => false;

    /// <summary>
    /// What is computed, where several secrets can have that in common: two of the same text are looked at together, and cost as much as
    /// one. Null where each is computed alone.
    /// </summary>
    public virtual string? Computation => null;

    /// <summary>What computing it costs, whatever the password; of a text that cannot be computed, nothing.</summary>
    public virtual HashCost Cost => default;

    /// <summary>The text as it is stored: with some forms the password itself. Never for a log.</summary>
    public string Stored { get; } = stored;

    public static PasswordHash Parse(string stored)
    {
        foreach (var family in HashSchemes.Families)
        {
            if (family.TryParse(stored) is { } hash)
                return hash;
        }

        return new UnknownHash(stored);
    }

    /// <summary>
    /// Computes, for as long as the hash demands (microseconds to a second of CPU), and compares in fixed time. To be called on
    /// the <see cref="HashingPool"/>.
    /// </summary>
    public abstract HashAnswer Verify(ReadOnlySpan<byte> password);

    /// <summary>
    /// Computes as much as <paramref name="cost"/> says, which is of the same kind, with a salt that is nobody's, and throws the result
    /// away. Answers <see cref="HashAnswer.NoMatch"/>, or what <see cref="Verify"/> answers where such a hash cannot be computed here.
    /// </summary>
    public virtual HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password) => HashAnswer.NoMatch.Instance;

    public sealed override string ToString() => Scheme;
}
