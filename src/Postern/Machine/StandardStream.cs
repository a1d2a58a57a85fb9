using System.Runtime.InteropServices;

namespace Postern.Machine;

/// <summary>
/// Standard input, output or error as the system has it. What <see cref="Console"/> opens puts a terminal into the mode for reading single
/// keys (smkx of terminfo) before the first octet, and leaves it so. Failures are <see cref="IOException"/>; a reader that has gone away is
/// none.
/// </summary>
internal sealed partial class StandardStream(int descriptor) : Stream
{
    private const int Interrupted = 4;
    private const int Again = 11;
    private const int BrokenPipe = 32;
    private const short Readable = 1;
    private const short Writable = 4;

    public static Stream Input => OperatingSystem.IsLinux() ? new StandardStream(0) : Console.OpenStandardInput();

    public static Stream Output => OperatingSystem.IsLinux() ? new StandardStream(1) : Console.OpenStandardOutput();

    public static Stream Error => OperatingSystem.IsLinux() ? new StandardStream(2) : Console.OpenStandardError();

    public override bool CanRead => descriptor == 0;

    public override bool CanWrite => descriptor != 0;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            var got = read(descriptor, buffer, (nuint)buffer.Length);
            if (got >= 0)
                return (int)got;
            GoOnAfter(Marshal.GetLastPInvokeError(), Readable);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var put = write(descriptor, buffer, (nuint)buffer.Length);
            if (put >= 0)
            {
                buffer = buffer[(int)put..];
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error == BrokenPipe)
                return;
            GoOnAfter(error, Writable);
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void GoOnAfter(int error, short what)
    {
        if (error == Again)
        {
            var waiting = new Waiting { Descriptor = descriptor, Wanted = what };
            _ = poll(ref waiting, 1, timeout: -1);
        }
        else if (error != Interrupted)
        {
            throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, Span<byte> buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, ReadOnlySpan<byte> buffer, nuint count);

    [LibraryImport("libc")]
    private static partial int poll(ref Waiting waiting, nuint count, int timeout);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Waiting
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }
}
