using System.Security.Cryptography;

namespace Postern.Machine;

/// <summary>What stands in a file, as one text to compare.</summary>
internal static class FileDigest
{
    /// <summary>SHA-256 of its content; why it cannot be read where it cannot.</summary>
    public static string Of(string file)
    {
        try
        {
            return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.GetType().Name;
        }
    }

    /// <summary>The same of several, in their order.</summary>
    public static string Of(IEnumerable<string> files) => string.Join(',', files.Select(Of));
}
