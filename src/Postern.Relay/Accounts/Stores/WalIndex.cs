using System.Runtime.InteropServices;
using SQLitePCL;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// The header of the write-ahead log's index, in memory that every process with the database open shares. Each commit by anyone
/// rewrites it; comparing it with an earlier look is how the engine itself tells whether something changed (WAL-mode file
/// format, §2.1), and costs nanoseconds where <c>pragma data_version</c> takes two locks and gives them back.
/// </summary>
internal sealed unsafe partial class WalIndex
{
    /// <summary>Two copies of 48 octets. Both are compared: a writer that died between them has committed.</summary>
    private const int HeaderOctets = 96;

    private const uint FormatVersion = 3_007_000;
    private const int RegionOctets = 32768;
    private const int FilePointer = 7;      // SQLITE_FCNTL_FILE_POINTER
    private const int ShmMapSlot = 13;      // xShmMap in sqlite3_io_methods, counted in pointers

    private readonly byte* header;
    private readonly byte[] seen = new byte[HeaderOctets];

    private WalIndex(byte* header) => this.header = header;

    /// <summary>True when nobody has committed since <see cref="Look"/>. Only while the connection is open.</summary>
    public bool IsAsSeen => new ReadOnlySpan<byte>(header, HeaderOctets).SequenceEqual(seen);

    /// <summary>Finds the header of an open connection that has read once; null where the database has none to show.</summary>
    public static WalIndex? TryOpen(sqlite3 connection)
    {
        void* file = null;
        fixed (byte* main = "main\0"u8)
        {
            if (FileControl(connection, main, FilePointer, &file) != raw.SQLITE_OK || file is null)
                return null;
        }

        var methods = *(void***)file;
        if (methods is null || *(int*)methods < 2 || methods[ShmMapSlot] is null)
            return null;
        void* region = null;
        var map = (delegate* unmanaged<void*, int, int, int, void**, int>)methods[ShmMapSlot];
        return map(file, 0, RegionOctets, 0, &region) == raw.SQLITE_OK && region is not null && *(uint*)region == FormatVersion
            ? new WalIndex((byte*)region)
            : null;
    }

    /// <summary>
    /// Notes the present state. To be called before reading: a commit in between then only costs another look.
    /// </summary>
    public void Look() => new ReadOnlySpan<byte>(header, HeaderOctets).CopyTo(seen);

    /// <summary>A function of the engine in the package, which its wrapper leaves out.</summary>
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_file_control")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial int FileControl(sqlite3 connection, byte* database, int what, void* answer);
}
