using System.Net;
using System.Net.Sockets;

namespace Postern.Smtp.Transport;

/// <summary>An endpoint cannot be listened on; the message names listener, endpoint and reason.</summary>
public sealed class ListenException : Exception
{
    /// <summary>Without a word of why.</summary>
    public ListenException()
    {
        Listener = string.Empty;
        Endpoint = new IPEndPoint(IPAddress.None, 0);
    }

    /// <summary>With a message.</summary>
    public ListenException(string message)
        : this(message, innerException: null)
    {
    }

    /// <summary>With a message and a cause.</summary>
    public ListenException(string message, Exception? innerException)
        : base(message, innerException)
    {
        Listener = string.Empty;
        Endpoint = new IPEndPoint(IPAddress.None, 0);
    }

    internal ListenException(string listener, IPEndPoint endpoint, SocketException cause)
        : base($"listener '{listener}' cannot listen on {endpoint}: {Explain(cause, endpoint)}", cause)
    {
        Listener = listener;
        Endpoint = endpoint;
    }

    /// <summary>The name of the listener.</summary>
    public string Listener { get; init; }

    /// <summary>What it cannot listen on.</summary>
    public IPEndPoint Endpoint { get; }

    private static string Explain(SocketException cause, IPEndPoint endpoint) => cause.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "something already listens there",
        SocketError.AccessDenied when endpoint.Port < 1024 => "ports below 1024 need privileges",
        SocketError.AddressNotAvailable => "this machine has no such address",
        _ => cause.Message,
    };
}
