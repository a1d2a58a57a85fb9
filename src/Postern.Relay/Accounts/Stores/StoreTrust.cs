using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// How the certificate of a server that knows users is judged: it is good, and leads to an authority. Nothing is fetched for it.
/// </summary>
internal static class StoreTrust
{
    /// <param name="authorities">A file of certificates that are trusted in place of the system's; null for those.</param>
    /// <exception cref="CryptographicException">The file holds no certificate.</exception>
    public static X509ChainPolicy Policy(string? authorities)
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        if (authorities is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(Load(authorities));
        }

        return policy;
    }

    /// <summary>What an operator should be told of the file; null for nothing.</summary>
    public static string? WhyNot(string? authorities)
    {
        try
        {
            if (authorities is not null)
                _ = Load(authorities);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"ca: {e.Message}";
        }
    }

    private static X509Certificate2Collection Load(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities.Count > 0 ? authorities : throw new CryptographicException($"{file} holds no certificate");
    }
}
