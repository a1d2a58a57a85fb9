using System.Runtime.InteropServices;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// The system's Argon2 (Debian: libargon2-1), where it is there: four times as fast as managed code, and its lanes have the low priority of
/// the thread that asks.
/// </summary>
internal static unsafe partial class LibArgon2
{
    private const uint Version = 0x13;

    private static volatile bool isMissing;

    /// <summary>Null where there is no such library, or it has no memory.</summary>
    /// <param name="kind">argon2d, argon2i or argon2id.</param>
    public static byte[]? Hash(
        string kind, int passes, int kibibytes, int lanes, ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int octets)
    {
        if (isMissing)
            return null;
        var hash = new byte[octets];
        var type = kind switch { "argon2d" => 0, "argon2i" => 1, _ => 2 };
        try
        {
            fixed (byte* passwordAt = password, saltAt = salt, hashAt = hash)
            {
                var result = Hash(
                    (uint)passes,
                    (uint)kibibytes,
                    (uint)lanes,
                    passwordAt,
                    (nuint)password.Length,
                    saltAt,
                    (nuint)salt.Length,
                    hashAt,
                    (nuint)hash.Length,
                    null,
                    0,
                    type,
                    Version);
                return result == 0 ? hash : null;
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            isMissing = true;
            return null;
        }
    }

    [LibraryImport("libargon2.so.1", EntryPoint = "argon2_hash")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Hash(
        uint passes,
        uint kibibytes,
        uint lanes,
        byte* password,
        nuint passwordLength,
        byte* salt,
        nuint saltLength,
        byte* hash,
        nuint hashLength,
        byte* encoded,
        nuint encodedLength,
        int type,
        uint version);
}
