using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Audit;

/// <summary>
/// Opens a file for appending as the operating system knows it: each write goes to the end, whoever else writes. The command line and the
/// daemon may add to one audit file at the same time, which <see cref="FileMode.Append"/> (a seek, then writes) would mix up. A link is not
/// followed, and what is no plain file of this user with one name is not written to.
/// </summary>
internal static partial class AppendHandle
{
    private const int ReadWrite = 0x2;
    private const int Create = 0x40;
    private const int Append = 0x400;
    private const int CloseOnExec = 0x80000;
    private const int OwnerOnly = 0x180; // 0600
    private const int NonBlocking = 0x800;
    private const int DescriptorItself = 0x1000;
    private const uint StatBasics = 0x7ff;
    private const int StatSize = 256;
    private const int TypeMask = 0xF000;
    private const int PlainFile = 0x8000;

    // Linux numbers this flag by processor.
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64
        ? 0x8000
        : 0x20000;

    /// <exception cref="IOException">The file cannot be opened; the message says why.</exception>
    public static SafeFileHandle Open(string path)
    {
        if (!OperatingSystem.IsLinux())
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var descriptor = OpenFile(path, ReadWrite | Create | Append | CloseOnExec | NoFollow | NonBlocking, OwnerOnly);
        if (descriptor < 0)
            throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (WhyNotOurs(descriptor) is not { } reason)
            return file;
        file.Dispose();
        throw new IOException($"{path}: {reason}");
    }

    /// <summary>Writes everything in one call where the disk allows. The offset matters only where there is no append mode.</summary>
    public static void Write(SafeFileHandle handle, ReadOnlySpan<byte> octets) =>
        RandomAccess.Write(handle, octets, RandomAccess.GetLength(handle));

    /// <summary>The file ends inside a line: a crash or a full disk cut it off.</summary>
    public static bool EndsInsideLine(SafeFileHandle handle)
    {
        var length = RandomAccess.GetLength(handle);
        Span<byte> last = stackalloc byte[1];
        return length > 0 && RandomAccess.Read(handle, last, length - 1) == 1 && last[0] != '\n';
    }

    private static string? WhyNotOurs(int descriptor)
    {
        Span<byte> status = stackalloc byte[StatSize];
        if (Look(descriptor, string.Empty, DescriptorItself, StatBasics, status) != 0)
            return Marshal.GetLastPInvokeErrorMessage();
        var links = BinaryPrimitives.ReadUInt32LittleEndian(status[16..]);
        var user = BinaryPrimitives.ReadUInt32LittleEndian(status[20..]);
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(status[28..]);
        return (mode & TypeMask) != PlainFile ? "it is no plain file"
            : user != EffectiveUser() ? $"it belongs to user {user}"
            : links > 1 ? "it has a second name elsewhere"
            : null;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Look(int directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);
}
