using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Sasl;

/// <summary>
/// A password on its way from or to a person, or a bearer token. Prints as <c>***</c>; only <see cref="Reveal"/> gives the text. It may be
/// kept, which a <see cref="Verifiers.Password"/> may not. Equal texts are equal secrets.
/// </summary>
public sealed class Secret(string text) : IEquatable<Secret>
{
    /// <summary>28 of these are 140 bits; letters that are read as digits are left out.</summary>
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Groups = 7;
    private const int GroupLength = 4;
    private const string NotEquals = "a secret is not a text and never equal to one: Matches compares them";

    /// <summary>Makes one of 140 random bits: <c>k7m3-q9x2-…</c>, seven groups of four.</summary>
    public static Secret Generate()
    {
        var digits = RandomNumberGenerator.GetString(Alphabet, Groups * GroupLength);
        return new Secret(string.Join('-', Enumerable.Range(0, Groups).Select(i => digits.Substring(i * GroupLength, GroupLength))));
    }

    /// <summary>Compares in a time that does not depend on where the two differ.</summary>
    public bool Matches(string expected) => IsSame(Encoding.UTF8.GetBytes(text), expected);

    /// <summary>It would be false whatever the text is, so it does not compile: <see cref="Matches"/> is meant.</summary>
    [Obsolete(NotEquals, error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public bool Equals(string? other) => throw new NotSupportedException(NotEquals);

    /// <summary>As <see cref="Matches"/>.</summary>
    public bool Equals(Secret? other) => ReferenceEquals(this, other) || (other is not null && Matches(other.Reveal()));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <summary>As <see cref="Equals(Secret?)"/>.</summary>
    public static bool operator ==(Secret? one, Secret? other) => one is null ? other is null : one.Equals(other);

    /// <summary>As <see cref="Equals(Secret?)"/>.</summary>
    public static bool operator !=(Secret? one, Secret? other) => !(one == other);

    /// <inheritdoc/>
    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The text itself.</summary>
    public string Reveal() => text;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";

    /// <summary>Over digests, so that the lengths do not show either.</summary>
    internal static bool IsSame(ReadOnlySpan<byte> octets, string expected) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(octets), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));
}
