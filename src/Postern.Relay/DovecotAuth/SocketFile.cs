using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// The file of a Unix socket: whether one that is there may be replaced, and to whom it is given. What is not done by its name is done by
/// its descriptor, as the name may lead elsewhere by then. Failures are <see cref="IOException"/>.
/// </summary>
internal static partial class SocketFile
{
    private const int PathOnly = 0x200000;
    private const int CloseOnExec = 0x80000;
    private const int DescriptorItself = 0x1000;
    private const uint StatBasics = 0x7ff;
    private const int StatSize = 256;
    private const int ModeAt = 28;
    private const int TypeMask = 0xF000;
    private const int SocketKind = 0xC000;

    // Linux numbers this flag by processor.
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64
        ? 0x8000
        : 0x20000;

    /// <summary>Takes away the socket that an earlier process left, so that one of this process can have its name.</summary>
    /// <exception cref="IOException">Something listens there, or it is no socket; nothing was taken away.</exception>
    public static void MakeRoom(string path)
    {
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
            return;
        using (var file = Open(path))
        {
            if (!IsSocket(file, path))
                throw new IOException("what is there is no socket, and is not replaced");
        }

        if (IsAlive(path))
            throw new IOException("something already listens there");
        File.Delete(path);
    }

    /// <summary>Gives the socket its permissions, and then to somebody.</summary>
    public static void Give(AuthPlace.Unix place)
    {
        var path = place.Path;
        using var file = Open(path);
        if (!IsSocket(file, path))
            throw new IOException("it is not the socket that was made there");
        // Not by the name: it may be a link by now.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file.DangerousGetHandle()}"), place.Mode);
        if ((place.Owner is not null || place.Group is not null)
            && fchownat(file, string.Empty, place.Owner ?? uint.MaxValue, place.Group ?? uint.MaxValue, DescriptorItself) != 0)
            throw Failed("it cannot be given to that owner or group, of which this process must be a member unless it is root");
    }

    /// <summary>Whether somebody accepts there.</summary>
    private static bool IsAlive(string path)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode != SocketError.ConnectionRefused;
        }
    }

    private static SafeFileHandle Open(string path)
    {
        var descriptor = open(path, PathOnly | NoFollow | CloseOnExec, mode: 0);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed("it cannot be looked at");
    }

    private static bool IsSocket(SafeFileHandle file, string path)
    {
        Span<byte> status = stackalloc byte[StatSize];
        if (statx(file, string.Empty, DescriptorItself, StatBasics, status) != 0)
            throw Failed($"{path} cannot be looked at");
        return (BinaryPrimitives.ReadUInt16LittleEndian(status[ModeAt..]) & TypeMask) == SocketKind;
    }

    private static IOException Failed(string what)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fchownat(SafeFileHandle directory, string path, uint user, uint group, int flags);
}
