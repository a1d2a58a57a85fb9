using System.Collections.Frozen;

namespace Postern.Relay.Accounts.Certificates;

/// <summary>Whose client certificates are believed, and which account each is.</summary>
/// <param name="Authorities">Null: no certificate is believed by its name.</param>
/// <param name="Fingerprints">
/// Account names by SHA-256 in lower-case hexadecimal digits. They come first, and their issuer does not matter.
/// </param>
public sealed record CertificateRules(
    CertificateAuthorities? Authorities, CertificateName Name, FrozenDictionary<string, string> Fingerprints);
