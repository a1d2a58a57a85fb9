using System.Net.Sockets;

namespace Postern.Smtp.Transport;

/// <summary>
/// The client's connection is gone. A type of its own, so that what a store or a policy throws, such as the <see cref="IOException"/> of a
/// full disk, is never taken for it.
/// </summary>
internal sealed class ConnectionLostException : IOException
{
    public ConnectionLostException(string message)
        : base(message)
    {
    }

    public ConnectionLostException(Exception cause)
        : base(cause.Message, cause)
    {
    }

    /// <summary>What streams throw when the other side is gone.</summary>
    public static bool IsCausedBy(Exception e) => e is IOException or SocketException or ObjectDisposedException;
}
