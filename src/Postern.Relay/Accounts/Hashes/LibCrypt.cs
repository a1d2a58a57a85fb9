using System.Runtime.InteropServices;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>crypt(3) of libxcrypt, which every Debian has (libcrypt1).</summary>
internal static unsafe partial class LibCrypt
{
    /// <summary>The size of <c>struct crypt_data</c>, fixed by libxcrypt's ABI.</summary>
    public const int DataOctets = 32768;

    /// <summary>Room for any setting (CRYPT_GENSALT_OUTPUT_SIZE).</summary>
    public const int SettingOctets = 192;

    /// <summary>
    /// Hashes a NUL-terminated phrase as <paramref name="setting"/> says, into <paramref name="data"/>; null when the setting is not
    /// understood. Re-entrant.
    /// </summary>
    [LibraryImport("libcrypt.so.1", EntryPoint = "crypt_rn")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial byte* Crypt(byte* phrase, byte* setting, byte* data, int size);

    /// <summary>
    /// Writes a setting with a fresh salt for a NUL-terminated prefix such as <c>$y$</c>; null when the prefix is not understood.
    /// </summary>
    /// <param name="cost">0 for what the library takes for good.</param>
    /// <param name="random">Null for the system's random numbers.</param>
    [LibraryImport("libcrypt.so.1", EntryPoint = "crypt_gensalt_rn")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial byte* MakeSetting(byte* prefix, uint cost, byte* random, int randomOctets, byte* setting, int size);
}
