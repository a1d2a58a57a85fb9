using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary>A PEM file of the certificates that a peer's is verified against.</summary>
internal static class TrustedFile
{
    /// <summary>What the key <c>ca</c> of a section names; null when it was left out, or cannot be used.</summary>
    /// <param name="key">Another name for it.</param>
    public static X509Certificate2Collection? Read(Section section, string doc, string key = "ca")
    {
        if (section.ReadFile(key, "the system's trusted roots", doc) is not { } file)
            return null;
        if (Read(file, out var certificates) is not { } problem)
            return certificates;
        section.Report(key, problem);
        return null;
    }

    /// <summary>What is wrong with the file; null when it was read.</summary>
    public static string? Read(string file, out X509Certificate2Collection certificates)
    {
        certificates = [];
        try
        {
            certificates.ImportFromPemFile(file);
            return certificates.Count > 0 ? null : $"{file} holds no PEM certificate";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return $"{file} does not exist";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"{file} cannot be read: {e.Message}";
        }
    }
}
