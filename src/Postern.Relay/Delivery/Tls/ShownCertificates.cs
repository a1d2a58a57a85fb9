using System.Security.Cryptography;

namespace Postern.Relay.Delivery.Tls;

/// <summary>Certificates that were read lately: hosts show the same one at every connection. May be called from any thread.</summary>
internal sealed class ShownCertificates
{
    /// <summary>So many are kept at least, once there have been as many; twice as many at most.</summary>
    private const int Generation = 1_024;

    private readonly Lock gate = new();
    private Dictionary<string, ShownCertificate?> young = new(StringComparer.Ordinal);
    private Dictionary<string, ShownCertificate?> old = new(StringComparer.Ordinal);

    /// <inheritdoc cref="ShownCertificate.Read"/>
    public ShownCertificate? Read(ReadOnlySpan<byte> certificate)
    {
        if (certificate.IsEmpty)
            return null;
        var digest = Convert.ToHexStringLower(SHA256.HashData(certificate));
        lock (gate)
        {
            if (young.TryGetValue(digest, out var known) || old.TryGetValue(digest, out known))
                return known;
        }

        var read = ShownCertificate.Read(certificate);
        lock (gate)
        {
            young[digest] = read;
            if (young.Count >= Generation)
                (old, young) = (young, new(StringComparer.Ordinal));
        }

        return read;
    }
}
