using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Audit;

/// <summary>
/// Opens a file for appending as the operating system knows it: each write goes to the end, whoever else writes. The command line and
/// the daemon may add to one audit file at the same time, which <see cref="FileMode.Append"/> (a seek, then writes) would mix up.
/// </summary>
internal static partial class AppendHandle
{
    private const int ReadWrite = 0x2;
    private const int Create = 0x40;
    private const int Append = 0x400;
    private const int CloseOnExec = 0x80000;
    private const int OwnerOnly = 0x180; // 0600

    /// <exception cref="IOException">The file cannot be opened; the message says why.</exception>
    public static SafeFileHandle Open(string path)
    {
        if (!OperatingSystem.IsLinux())
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var descriptor = OpenFile(path, ReadWrite | Create | Append | CloseOnExec, OwnerOnly);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Writes everything in one call where the disk allows. The offset matters only where there is no append mode.</summary>
    public static void Write(SafeFileHandle handle, ReadOnlySpan<byte> octets) => RandomAccess.Write(handle, octets, RandomAccess.GetLength(handle));

    /// <summary>The file ends inside a line: a crash or a full disk cut it off.</summary>
    public static bool EndsInsideLine(SafeFileHandle handle)
    {
        var length = RandomAccess.GetLength(handle);
        Span<byte> last = stackalloc byte[1];
        return length > 0 && RandomAccess.Read(handle, last, length - 1) == 1 && last[0] != '\n';
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);
}
