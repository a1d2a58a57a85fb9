using System.Net.Sockets;
using System.Security.Cryptography;

namespace Postern.Relay.Delivery;

/// <summary>What this machine lacked when something failed here: never the message's fault, nor the destination's.</summary>
internal static class OwnShortage
{
    // Numbers of Linux, which an IOException carries as they are.
    private const int NoMemory = 12;
    private const int TooManyInSystem = 23;
    private const int TooManyInProcess = 24;
    private const int NoBuffers = 105;

    /// <summary>In plain words; null when it was something else.</summary>
    public static string? WordsOf(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            var words = failure switch
            {
                OutOfMemoryException => "no memory is left",
                SocketException { SocketErrorCode: SocketError.TooManyOpenSockets } => "too many files are open",
                SocketException { SocketErrorCode: SocketError.NoBufferSpaceAvailable } => "no memory is left for connections",
                SocketException { NativeErrorCode: var number } => OfNumber(number),
                IOException { HResult: var number } => OfNumber(number),
                CryptographicException => "no random numbers or keys can be made",
                _ => null,
            };
            if (words is not null)
                return words;
        }

        return null;
    }

    private static string? OfNumber(int number) => number switch
    {
        TooManyInProcess => "too many files are open in this process (ulimit -n)",
        TooManyInSystem => "too many files are open on this machine (fs.file-max)",
        NoMemory => "no memory is left",
        NoBuffers => "no memory is left for connections",
        _ => null,
    };
}
