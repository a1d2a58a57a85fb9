using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Transport;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// One bound socket of the authentication service and its accept loop. It lasts while the configuration around it changes.
/// </summary>
internal sealed class AuthSocket
{
    private const int Backlog = 256;
    private static readonly TimeSpan Backoff = TimeSpan.FromMilliseconds(100);

    private readonly Socket socket;
    private volatile bool isClosed;

    private AuthSocket(AuthPlace place, Socket socket)
    {
        (Place, this.socket) = (place, socket);
        BoundTo = socket.LocalEndPoint is IPEndPoint endpoint ? new AuthPlace.Tcp(endpoint) : place;
    }

    /// <summary>As configured.</summary>
    public AuthPlace Place { get; }

    /// <summary>With the real port.</summary>
    public AuthPlace BoundTo { get; }

    /// <summary>Binds and listens; a Unix socket has its owner and permissions before anybody can connect.</summary>
    /// <exception cref="ListenException">It cannot be bound.</exception>
    public static AuthSocket Bind(string listener, AuthPlace place)
    {
        Socket? fresh = null;
        try
        {
            fresh = place is AuthPlace.Tcp(var endpoint) ? BindTcp(endpoint) : BindUnix((AuthPlace.Unix)place);
            fresh.Listen(Backlog);
            return new AuthSocket(place, fresh);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            fresh?.Dispose();
            throw new ListenException($"listener '{listener}' cannot listen on {place}: {Explain(e)}", e) { Listener = listener };
        }
    }

    /// <summary>It accepts no more.</summary>
    public bool IsClosed => isClosed;

    /// <summary>Accepts until <see cref="Close"/>.</summary>
    /// <param name="welcome">Gets each connection, and must return at once.</param>
    /// <param name="trouble">Gets what goes wrong, in words for the log; once for as long as it lasts.</param>
    public async Task AcceptAsync(Action<Socket> welcome, Action<string> trouble, TimeProvider clock)
    {
        var isTold = false;
        while (!isClosed)
        {
            try
            {
                welcome(await socket.AcceptAsync().ConfigureAwait(false));
                isTold = false;
            }
            catch (SocketException e) when (!isClosed && e.SocketErrorCode is not (SocketError.NotSocket or SocketError.OperationAborted))
            {
                if (e.SocketErrorCode == SocketError.ConnectionAborted)
                    continue; // that one is gone, the next one is not
                if (!isTold)
                    trouble($"nobody is accepted for now: {e.Message}");
                isTold = true;
                await Task.Delay(Backoff, clock).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (!isClosed)
                    trouble($"stopped accepting: {e.Message}");
                return;
            }
        }
    }

    /// <summary>Accepts no more; the file of a Unix socket goes with it.</summary>
    public void Close()
    {
        isClosed = true;
        socket.Dispose();
    }

    private static Socket BindTcp(IPEndPoint endpoint)
    {
        var bound = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
                bound.DualMode = false;
            bound.Bind(endpoint);
            return bound;
        }
        catch
        {
            bound.Dispose();
            throw;
        }
    }

    private static Socket BindUnix(AuthPlace.Unix place)
    {
        SocketFile.MakeRoom(place.Path);
        var bound = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            bound.Bind(new UnixDomainSocketEndPoint(place.Path));
            SocketFile.Give(place);
            return bound;
        }
        catch
        {
            bound.Dispose();
            throw;
        }
    }

    private static string Explain(Exception e) => e switch
    {
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => "something already listens there",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "this user may not make a socket there",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "there is no such directory, or no such address here",
        _ => e.Message,
    };
}
