using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Machine;

/// <summary>
/// Users and owners as the C library knows them. A change of user goes through the library, which changes every thread of the process; a
/// system call of our own would change one. Failures are <see cref="IOException"/>.
/// </summary>
internal static partial class UserIdentity
{
    private const int CloseOnExec = 0x80000;
    private const int CurrentDirectory = -100;
    private const int LinkItself = 0x100;
    private const int DescriptorItself = 0x1000;
    private const uint StatBasics = 0x7ff;
    private const int StatSize = 256;
    private const int PasswdUserAt = 16;
    private const int PasswdGroupAt = 20;
    private const int GroupAt = 16;
    private const int PasswdFullNameAt = 24;
    private const int DoesNotWait = 0x800;

    // Linux numbers this flag by processor.
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64
        ? 0x8000
        : 0x20000;

    /// <summary>May do what it likes with any file. Never on other systems: what is done for root there is nothing.</summary>
    public static bool IsRoot => OperatingSystem.IsLinux() && geteuid() == 0;

    /// <summary>Who runs this, for people: a user id of a container has no name.</summary>
    public static string Current =>
        Environment.UserName is { Length: > 0 } name ? name : OperatingSystem.IsWindows() ? "this user" : NameOf(geteuid());

    /// <summary>Who this process is for the system.</summary>
    public static uint Effective => geteuid();

    /// <summary>
    /// Opens what somebody else made, to be read: never through a link, and without waiting for the other end of a pipe.
    /// </summary>
    public static SafeFileHandle OpenForeign(string path, out FileFacts facts)
    {
        var descriptor = open(path, NoFollow | CloseOnExec | DoesNotWait, mode: 0);
        if (descriptor < 0)
            throw Failed("cannot open", path);
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Look(descriptor, string.Empty, DescriptorItself) is { } known)
        {
            facts = known;
            return file;
        }

        file.Dispose();
        throw Failed("cannot look at", path);
    }

    /// <summary>The name of a user in the system's list; null where it is in none.</summary>
    public static string? ListedNameOf(uint user) =>
        getpwuid(user) is not 0 and var entry ? Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(entry)) : null;

    /// <summary>The number of a user; null where this machine has none of that name.</summary>
    public static uint? UserOf(string name) => getpwnam(name) is not 0 and var entry ? (uint)Marshal.ReadInt32(entry, PasswdUserAt) : null;

    /// <summary>The number of a group; null where this machine has none of that name.</summary>
    public static uint? GroupOf(string name) => getgrnam(name) is not 0 and var entry ? (uint)Marshal.ReadInt32(entry, GroupAt) : null;

    /// <summary>As people call the user, from the first field of that list's comment; null where it says nothing.</summary>
    public static string? FullNameOf(uint user) =>
        getpwuid(user) is not 0 and var entry
            && Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(entry, PasswdFullNameAt))?.Split(',')[0] is { Length: > 0 } name
            ? name
            : null;

    /// <summary>Facts of the file itself, also when it is a link; null where there is none.</summary>
    public static FileFacts? Look(string path)
    {
        const int NoEntry = 2;
        return Look(CurrentDirectory, path, LinkItself)
            ?? (Marshal.GetLastPInvokeError() == NoEntry ? null : throw Failed("cannot look at", path));
    }

    /// <summary>Gives a file to somebody, by its descriptor: the name may lead elsewhere by now.</summary>
    /// <param name="path">Made by this process a moment ago.</param>
    public static void Give(string path, uint user, uint group)
    {
        var descriptor = open(path, NoFollow | CloseOnExec, mode: 0);
        if (descriptor < 0)
            throw Failed("cannot open", path);
        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Look(descriptor, string.Empty, DescriptorItself) is not { IsFile: true, Links: 1 } facts || facts.User != geteuid())
            throw new IOException($"{path} is not the file that was just made there");
        if (fchown(file, user, group) != 0)
            throw Failed("cannot give away", path);
    }

    /// <summary>This process is that user from now on, with that user's groups; there is no way back.</summary>
    /// <param name="group">For a user that the system has no name for.</param>
    public static void Become(uint user, uint group)
    {
        var entry = getpwuid(user);
        if (entry != 0)
            group = (uint)Marshal.ReadInt32(entry, PasswdGroupAt);
        var groups = entry != 0 ? initgroups(Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(entry))!, group) : setgroups(1, [group]);
        if (groups != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
            throw Failed("cannot become", NameOf(user));
    }

    public static string NameOf(uint user) => ListedNameOf(user) ?? $"user {user}";

    private static FileFacts? Look(int directory, string path, int flags)
    {
        Span<byte> status = stackalloc byte[StatSize];
        return statx(directory, path, flags, StatBasics, status) != 0 ? null : new FileFacts(
            BinaryPrimitives.ReadUInt32LittleEndian(status[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(status[24..]),
            BinaryPrimitives.ReadUInt16LittleEndian(status[28..]),
            BinaryPrimitives.ReadUInt32LittleEndian(status[16..]));
    }

    private static IOException Failed(string what, string whom)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what} {whom}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc")]
    private static partial nint getpwuid(uint user);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint getpwnam(string name);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint getgrnam(string name);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int initgroups(string user, uint group);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setgroups(nint count, uint[] groups);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setresgid(uint real, uint effective, uint saved);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setresuid(uint real, uint effective, uint saved);
}
