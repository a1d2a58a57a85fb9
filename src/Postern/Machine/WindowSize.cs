using System.Runtime.InteropServices;

namespace Postern.Machine;

/// <summary>
/// The size of the window that a terminal shows, as the system has it. <see cref="Console"/> knows it too, and asking there puts the
/// terminal into another mode first, for keys that no command here wants.
/// </summary>
internal static partial class WindowSize
{
    private const int Output = 1;

    /// <summary>TIOCGWINSZ of Linux.</summary>
    private const nuint Ask = 0x5413;

    /// <summary>Columns of the terminal that the output goes to; 0 where nobody knows.</summary>
    public static int Columns => OperatingSystem.IsLinux() && ioctl(Output, Ask, out var size) == 0 ? size.Columns : 0;

    [LibraryImport("libc")]
    private static partial int ioctl(int descriptor, nuint request, out Size size);

    /// <summary>struct winsize.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Size
    {
        public ushort Rows;
        public ushort Columns;
        public ushort Width;
        public ushort Height;
    }
}
