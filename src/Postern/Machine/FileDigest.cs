using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Postern.Machine;

/// <summary>What stands in a file, as one text to compare.</summary>
internal static class FileDigest
{
    /// <summary>What larger ones hold is remembered until their size or their time changes: they are looked at again and again.</summary>
    private const long Large = 256 * 1024;

    /// <summary>A file that has just been written may be written again at the same time of its clock.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private static readonly ConcurrentDictionary<string, (long Length, DateTime Written, string Digest)> Known =
        new(StringComparer.Ordinal);

    /// <summary>SHA-256 of its content; why it cannot be read where it cannot.</summary>
    public static string Of(string file)
    {
        try
        {
            var info = new FileInfo(file);
            if (info is not { Exists: true, Length: >= Large and var length, LastWriteTimeUtc: var written })
                return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
            if (Known.TryGetValue(file, out var known) && known.Length == length && known.Written == written)
                return known.Digest;
            using var content = File.OpenRead(file);
            var digest = Convert.ToHexString(SHA256.HashData(content));
            if (File.GetLastWriteTimeUtc(file) == written && TimeProvider.System.GetUtcNow().UtcDateTime - written > Fresh)
                Known[file] = (length, written, digest);
            return digest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.GetType().Name;
        }
    }

    /// <summary>The same of several, in their order.</summary>
    public static string Of(IEnumerable<string> files) => string.Join(',', files.Select(Of));
}
