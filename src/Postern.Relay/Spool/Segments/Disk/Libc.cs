using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Spool.Segments.Disk;

/// <summary>
/// The calls of the C library that .NET does not offer. Failures are <see cref="IOException"/> with the errno as HResult.
/// </summary>
internal static partial class Libc
{
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;

    private const int Interrupted = 4;
    private const int NoFileDescriptorsInSystem = 23;
    private const int NoFileDescriptors = 24;
    private const int NoSpace = 28;
    private const int NotPermitted = 1;
    private const int NoAccess = 13;
    private const int Exists = 17;
    private const int InvalidArgument = 22;
    private const int ReadOnlyFileSystem = 30;
    private const int WouldBlock = 11;
    private const int NoSuchCall = 38;
    private const int NotSupported = 95;
    private const int OverQuota = 122;

    private const int CloseOnExec = 0x80000;
    private const int OwnerOnly = 0x180;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int LockRelease = 8;
    private const int SymbolicLinkNoFollow = 0x100;
    private const int CurrentDirectory = -100;
    private const uint StatUid = 8;
    private const int StatUidAt = 20;
    private const int StatSize = 256;

    // More than any C library of 64 bits has in its struct statvfs.
    private const int StatVfsNumbers = 32;

    // Two flags that Linux numbers by processor.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64;
    private static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    public static int Directory { get; } = IsArm ? 0x4000 : 0x10000;

    public static uint EffectiveUser => geteuid();

    /// <summary>True for a disk without room: free blocks, inodes or quota.</summary>
    public static bool IsOutOfSpace(IOException e) => e.HResult is NoSpace or OverQuota;

    public static bool IsThereAlready(IOException e) => e.HResult is Exists;

    /// <summary>True when the system will not do it for this user or this kind of file, which says nothing of the disk.</summary>
    public static bool IsRefusal(IOException e) =>
        e.HResult is NotPermitted or NoAccess or InvalidArgument or ReadOnlyFileSystem or NotSupported;

    /// <summary>True for a shortage of this process or machine that has nothing to do with the disk.</summary>
    public static bool IsOutOfDescriptors(IOException e) => e.HResult is NoFileDescriptors or NoFileDescriptorsInSystem;

    /// <summary>Never follows a symbolic link; a file it creates belongs to its owner alone.</summary>
    public static SafeFileHandle OpenFile(string path, int flags)
    {
        while (true)
        {
            var descriptor = open(path, flags | CloseOnExec | NoFollow, OwnerOnly);
            if (descriptor >= 0)
                return new SafeFileHandle(descriptor, ownsHandle: true);
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LastError("cannot open", path);
        }
    }

    /// <summary>Takes the room of the whole file at once, so that a full disk shows here and not in the midst of a message.</summary>
    public static void Allocate(SafeFileHandle file, long size, string path)
    {
        while (size > 0 && fallocate(file, mode: 0, offset: 0, size) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    continue;
                case NotSupported or NoSuchCall:
                    return;                     // the file will grow as it is written
                default:
                    throw LastError("cannot allocate", path);
            }
        }
    }

    public static void SyncData(SafeFileHandle file)
    {
        while (fdatasync(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LastError("cannot sync", "a segment");
        }
    }

    public static void Sync(SafeFileHandle file, string path)
    {
        while (fsync(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LastError("cannot sync", path);
        }
    }

    /// <summary>False when another open file holds the lock. It goes with the handle, also when the process dies.</summary>
    public static bool TryLock(SafeFileHandle file, string path)
    {
        if (flock(file, LockExclusive | LockNonBlocking) == 0)
            return true;
        return Marshal.GetLastPInvokeError() == WouldBlock ? false : throw LastError("cannot lock", path);
    }

    /// <summary>
    /// Gives the lock up at once. Closing alone would not: a child process that is just being started holds a copy of the
    /// descriptor until it runs its own program.
    /// </summary>
    public static void Unlock(SafeFileHandle file) => _ = flock(file, LockRelease);

    /// <summary>The numeric owner of a file or directory; of the link itself when it is one.</summary>
    public static uint OwnerOf(string path)
    {
        Span<byte> status = stackalloc byte[StatSize];
        if (statx(CurrentDirectory, path, SymbolicLinkNoFollow, StatUid, status) != 0)
            throw LastError("cannot look at", path);
        return BinaryPrimitives.ReadUInt32LittleEndian(status[StatUidAt..]);
    }

    /// <summary>What is left of the file system that holds the directory, as this user may take it.</summary>
    public static DiskSpace Space(string directory)
    {
        if (!Environment.Is64BitProcess)
        {
            // The structure has another form there, and no free files are known: making one will show it.
            var drive = new DriveInfo(directory);
            return new DiskSpace(drive.TotalSize, drive.AvailableFreeSpace);
        }

        Span<ulong> numbers = stackalloc ulong[StatVfsNumbers];
        while (statvfs(directory, numbers) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                throw LastError("cannot look at the free space of", directory);
        }

        var (unit, blocks, freeBlocks) = ((UInt128)numbers[1], numbers[2], numbers[4]);
        var (files, freeFiles) = (numbers[5], numbers[7]);
        return new DiskSpace(
            (long)UInt128.Min(unit * blocks, long.MaxValue),
            (long)UInt128.Min(unit * freeBlocks, long.MaxValue),
            files == 0 ? long.MaxValue : (long)Math.Min(freeFiles, long.MaxValue));
    }

    private static IOException LastError(string what, string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        var message = $"{what} {path}: {Marshal.GetPInvokeErrorMessage(errno)}";
        return new IOException(message, errno);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statvfs(string path, Span<ulong> status);

    [LibraryImport("libc")]
    private static partial uint geteuid();
}
