using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Transport;

namespace Postern.Hosting.Certificates;

/// <summary>
/// Whether this machine's OpenSSL shows a certificate at all: a key that is too short for its security level, or a curve that it does not
/// speak, fails every handshake.
/// </summary>
internal static class CertificateTrial
{
    private const int UsualRsaBits = 2048;

    /// <summary>
    /// Null when a handshake with itself succeeds, and where no listener would show it with this machine's own security level.
    /// </summary>
    public static async Task<string?> WhyNotShownAsync(X509Certificate2 certificate, X509Certificate2Collection? chain = null)
    {
        if (await MachineCiphers.CanShowAsync(new TlsCertificate(certificate, chain)))
            return null;
        using var rsa = certificate.GetRSAPublicKey();
        using var ec = certificate.GetECDsaPublicKey();
        return rsa is not null
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"this machine's OpenSSL makes no handshake with it: its RSA key has {rsa.KeySize} "
                    + $"bits{(rsa.KeySize < UsualRsaBits ? $", and the security level asks for {UsualRsaBits}" : string.Empty)}; "
                    + $"only listeners with ciphers: legacy may show it")
            : $"this machine's OpenSSL makes no handshake with it: its key is on the curve "
                + $"{ec?.ExportParameters(includePrivateParameters: false).Curve.Oid?.FriendlyName ?? "of no name"}, "
                + $"and clients speak nistP256, nistP384 and nistP521";
    }
}
