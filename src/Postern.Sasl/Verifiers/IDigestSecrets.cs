using Postern.Sasl.Digest;
using Postern.Sasl.Preparation;

namespace Postern.Sasl.Verifiers;

/// <summary>Gives H(user:realm:password) for DIGEST-MD5 (RFC 2831 §2.1.2.1).</summary>
public interface IDigestSecrets : IProofListener
{
    /// <summary>The realms to offer, the first being the usual one; at least one.</summary>
    IReadOnlyList<string> Realms { get; }

    /// <summary>
    /// Looks up <paramref name="user"/> in <paramref name="realm"/>, which is one of <see cref="Realms"/>; the secret is 16 octets.
    /// </summary>
    ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct);
}

/// <summary>
/// What a server stores for DIGEST-MD5 (RFC 2831 §2.1.2.1): H(user:realm:password), 16 octets, as htdigest files hold it too.
/// </summary>
public static class DigestSecret
{
    /// <summary>Octets of a secret.</summary>
    public const int Size = DigestFunctions.Size;

    /// <summary>
    /// Computes it for <paramref name="user"/> exactly as the client will write the name, and a password. What ISO 8859-1 can
    /// write is hashed in it, anything else in UTF-8.
    /// </summary>
    /// <exception cref="ArgumentException">The password is none (<see cref="PasswordText"/>), or it is empty.</exception>
    public static byte[] Derive(string user, string realm, string password) =>
        PasswordText.TryPrepare(password, out var prepared)
            ? DigestFunctions.Secret(user, realm, prepared)
            : throw new ArgumentException("a password is text without control characters (RFC 8265 §4.2)", nameof(password));

    /// <summary>Of a text exactly as it stands, in UTF-8 or ISO 8859-1 as above: what a client computes that prepares nothing.</summary>
    public static byte[] DeriveExactly(string user, string realm, string password) => DigestFunctions.Secret(user, realm, password);
}
