using System.Net.Sockets;
using System.Security.Cryptography;

namespace Postern.Relay.Delivery;

/// <summary>What this machine lacked when something failed here: never the message's fault, nor the destination's.</summary>
internal static class OwnShortage
{
    // Numbers of Linux, which an IOException carries as they are.
    private const int InputOutput = 5;
    private const int NoMemory = 12;
    private const int TooManyInSystem = 23;
    private const int TooManyInProcess = 24;
    private const int NoBuffers = 105;
    private const int MostNumber = 4096;

    // Of OpenSSL: ERR_LIB_OFFSET, ERR_LIB_RAND, ERR_R_MALLOC_FAILURE.
    private const int LibraryBits = 23;
    private const int RandomLibrary = 36;
    private const int NoMemoryForKeys = 0xC0100;

    /// <summary>In plain words; null when it was something else.</summary>
    public static string? WordsOf(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            var words = failure switch
            {
                OutOfMemoryException => "no memory is left",
                // ENFILE and EMFILE are one to the runtime, and ENOMEM has no name: what has none is of this machine, as all that a peer
                // causes has one.
                SocketException { SocketErrorCode: SocketError.TooManyOpenSockets } =>
                    "too many files are open, in this process (ulimit -n) or on this machine (fs.file-max)",
                SocketException { SocketErrorCode: SocketError.NoBufferSpaceAvailable } => "no memory is left for connections",
                SocketException { SocketErrorCode: SocketError.SocketError } =>
                    "no memory is left, or something else that the system does not name",
                IOException { HResult: InputOutput } => "the disk gives an input/output error (EIO)",
                IOException { HResult: var number } => OfNumber(number),
                CryptographicException { HResult: var code } => OfOpenSsl(code),
                _ => null,
            };
            if (words is not null)
                return words;
        }

        return null;
    }

    /// <summary>There is no way from here: this machine's network is down, or has no route.</summary>
    public static bool IsOurNetwork(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is SocketException { SocketErrorCode: SocketError.NetworkDown or SocketError.NetworkUnreachable
                or SocketError.HostUnreachable or SocketError.HostDown or SocketError.AddressNotAvailable })
                return true;
        }

        return false;
    }

    /// <summary>
    /// In plain words, when it was not this message that failed but what is around it: a key or certificate that cannot be used, an address
    /// family or a network that is not there. That may last, so it counts as an attempt; it is no mistake that holds a message.
    /// </summary>
    public static string? SurroundingsOf(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is DecorationUnavailableException)
                return failure.Message;
            if (failure is CryptographicException)
                return $"a key or certificate of this server cannot be used: {failure.Message}";
            if (failure is SocketException)
                return $"the network of this server: {failure.Message}";
        }

        return null;
    }

    /// <summary>
    /// The runtime keeps OpenSSL's code (err.h): eight bits of library above 23 of reason, or the number of the system behind the highest
    /// bit. What is neither is about one key or certificate, and does not pass by itself.
    /// </summary>
    private static string? OfOpenSsl(int code)
    {
        if (code < 0)
            return (code & int.MaxValue) < MostNumber ? OfNumber(code & int.MaxValue) : null;
        return code >> LibraryBits == RandomLibrary ? "no random numbers can be made"
            : code >> LibraryBits > 0 && (code & ((1 << LibraryBits) - 1)) == NoMemoryForKeys ? "no memory is left for keys"
            : null;
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
