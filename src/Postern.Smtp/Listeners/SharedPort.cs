using System.Net.Sockets;

namespace Postern.Smtp.Listeners;

/// <summary>
/// Lets a wildcard address and one of its addresses listen on one port for the moment in which the one takes the other's place
/// (SO_REUSEPORT, socket(7)). Only for that moment: otherwise a second server could start on a port that is taken. Where the system has no
/// such option, the bind fails as it always does.
/// </summary>
internal static class SharedPort
{
    private const int LinuxSocketLevel = 1;
    private const int LinuxReusePort = 15;

    public static void Allow(IEnumerable<Socket> sockets, bool isAllowed)
    {
        if (!OperatingSystem.IsLinux())
            return;
        Span<byte> value = stackalloc byte[sizeof(int)];
        value.Clear();
        value[BitConverter.IsLittleEndian ? 0 : sizeof(int) - 1] = isAllowed ? (byte)1 : (byte)0;
        foreach (var socket in sockets)
            socket.SetRawSocketOption(LinuxSocketLevel, LinuxReusePort, value);
    }
}
