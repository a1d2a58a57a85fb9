using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// Sends octets as a file in memory that nobody can change any more (memfd_create(2), F_ADD_SEALS in fcntl(2)): the journal takes what is
/// too large for a datagram in that way alone, an empty datagram with the descriptor beside it (SCM_RIGHTS in unix(7)). Linux on
/// processors of 64 bits.
/// </summary>
internal static partial class SealedMemory
{
    private const uint CloseOnExec = 0x1;
    private const uint AllowSealing = 0x2;
    private const int AddSeals = 1033;
    private const int AllSeals = 0xF; // seal, shrink, grow, write
    private const int NoSignal = 0x4000;
    private const int SocketLevel = 1;
    private const int Rights = 1;
    private const int TryAgain = 11;
    private const int Interrupted = 4;

    /// <summary>How long the journal's queue is left alone when it is full; real time.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <exception cref="IOException">The system refuses; the message says what.</exception>
    public static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> octets, CancellationToken ct)
    {
        using var file = Make(octets);
        while (!TrySend(socket, file))
            await Task.Delay(Pause, ct);
    }

    private static SafeFileHandle Make(ReadOnlyMemory<byte> octets)
    {
        var descriptor = CreateInMemory("postern", CloseOnExec | AllowSealing);
        if (descriptor < 0)
            throw new IOException($"a file in memory: {Marshal.GetLastPInvokeErrorMessage()}");
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            RandomAccess.Write(file, octets.Span, fileOffset: 0);
            if (Control(descriptor, AddSeals, AllSeals) < 0)
                throw new IOException($"sealing a file in memory: {Marshal.GetLastPInvokeErrorMessage()}");
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>False where the queue of the other side is full.</summary>
    private static unsafe bool TrySend(Socket socket, SafeFileHandle file)
    {
        var control = new Control64
        {
            Length = (nuint)(sizeof(Control64) - sizeof(int)), // without what fills it up
            Level = SocketLevel,
            Type = Rights,
            Descriptor = (int)file.DangerousGetHandle(),
        };
        var message = new Message64 { Control = &control, ControlLength = (nuint)sizeof(Control64) };
        if (SendMessage((int)socket.Handle, &message, NoSignal) >= 0)
            return true;
        return Marshal.GetLastPInvokeError() is TryAgain or Interrupted
            ? false
            : throw new IOException($"sending a file in memory: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateInMemory(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static unsafe partial nint SendMessage(int descriptor, Message64* message, int flags);

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Message64
    {
        public void* Name;
        public uint NameLength;
        public void* Parts;
        public nuint PartCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct cmsghdr with one descriptor.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Control64
    {
        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        private readonly int filling;
    }
}
