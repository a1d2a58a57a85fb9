using Postern.Sasl.Digest;
using Postern.Sasl.Preparation;

namespace Postern.Sasl.Verifiers;

/// <summary>What a server stores for DIGEST-MD5 (RFC 2831 §2.1.2.1): H(user:realm:password), 16 octets, as htdigest files hold it too.</summary>
public static class DigestSecret
{
    /// <summary>Octets of a secret.</summary>
    public const int Size = DigestFunctions.Size;

    /// <summary>
    /// Computes it for <paramref name="user"/> exactly as the client will write the name, and a password that SASLprep allows. What ISO 8859-1 can
    /// write is hashed in it, anything else in UTF-8.
    /// </summary>
    /// <exception cref="ArgumentException">SASLprep prohibits the password (RFC 4013), or it is empty.</exception>
    public static byte[] Derive(string user, string realm, string password) =>
        SaslPrep.TryPrepareStored(password, out var prepared) && prepared.Length > 0
            ? DigestFunctions.Secret(user, realm, prepared)
            : throw new ArgumentException("SASLprep does not allow this password (RFC 4013)", nameof(password));
}
