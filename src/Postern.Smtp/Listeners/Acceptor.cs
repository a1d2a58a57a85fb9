using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Listeners;

/// <summary>
/// One bound socket and its accept loop; it knows nothing of SMTP, and lasts while the options around it change. An error while accepting
/// is of one of three kinds: the socket is gone (the loop ends), the machine lacks resources (wait a little), or that one client was lost
/// (go on).
/// </summary>
internal sealed class Acceptor
{
    private const int Backlog = 1024;
    private static readonly TimeSpan Backoff = TimeSpan.FromMilliseconds(100);

    private readonly Socket socket;
    private readonly TimeProvider clock;
    private volatile bool isClosed;
    private int sessions;

    private Acceptor(IPEndPoint endpoint, Socket socket, TimeProvider clock)
    {
        this.socket = socket;
        this.clock = clock;
        Endpoint = endpoint;
        Bound = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>As configured.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>With the real port number.</summary>
    public IPEndPoint Bound { get; }

    /// <summary>It accepts no more, though nobody has closed it.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The sessions that are open now of the connections accepted here.</summary>
    public int Sessions => Volatile.Read(ref sessions);

    /// <summary>Binds and listens; clients wait in the backlog until <see cref="AcceptAsync"/>.</summary>
    /// <param name="listener">Its name, for the exception.</param>
    /// <param name="retiring">
    /// Those that are closed when this one is bound: a wildcard address and one of its addresses can follow one another at the same port.
    /// </param>
    /// <exception cref="ListenException">It cannot be bound.</exception>
    public static Acceptor Bind(string listener, IPEndPoint endpoint, IReadOnlyList<Acceptor> retiring, TimeProvider clock)
    {
        var overlapping = retiring.Where(a => a.Overlaps(endpoint)).ToList();
        Socket? fresh = null;
        try
        {
            fresh = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
                fresh.DualMode = false;
            SharedPort.Allow(overlapping.Select(static a => a.socket).Append(fresh), overlapping.Count > 0);
            fresh.Bind(endpoint);
            fresh.Listen(Backlog);
            SharedPort.Allow([fresh], isAllowed: false);
            return new Acceptor(endpoint, fresh, clock);
        }
        catch (SocketException e)
        {
            fresh?.Dispose();
            throw new ListenException(listener, endpoint, e);
        }
        finally
        {
            SharedPort.Allow(overlapping.Select(static a => a.socket), isAllowed: false);
        }
    }

    /// <summary>Accepts until <see cref="Close"/>.</summary>
    /// <param name="welcome">Gets each connection, and must return at once.</param>
    /// <param name="trouble">Gets what goes wrong, in words for the log.</param>
    public async Task AcceptAsync(Action<Acceptor, Socket> welcome, Action<Acceptor, string> trouble)
    {
        long? shortSince = null;
        while (!isClosed)
        {
            try
            {
                var client = await socket.AcceptAsync();
                if (shortSince is { } since)
                {
                    shortSince = null;
                    trouble(
                        this,
                        string.Create(CultureInfo.InvariantCulture, $"accepts again after {clock.GetElapsedTime(since).TotalSeconds:0} s"));
                }

                welcome(this, client);
            }
            catch (SocketException e) when (ShortageOf(e) is not null && !isClosed)
            {
                // Told once, however long it lasts: what is told takes a file and room as well.
                if (shortSince is null)
                    trouble(this, $"{ShortageOf(e)}: clients wait, nobody is accepted until there is enough again");
                shortSince ??= clock.GetTimestamp();
                await Task.Delay(Backoff, clock);
            }
            catch (SocketException e)
                when (e.SocketErrorCode is not (SocketError.OperationAborted or SocketError.NotSocket or SocketError.InvalidArgument)
                    && !isClosed)
            {
                // That client was lost between the handshake and us; the next one is not.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                HasEnded = !isClosed;
                if (HasEnded)
                    trouble(this, $"stopped accepting: {e.Message}");
                return;
            }
        }
    }

    /// <summary>Accepts no more. Its sessions go on.</summary>
    public void Close()
    {
        isClosed = true;
        socket.Dispose();
    }

    /// <summary>A connection accepted here is or will be a session; each is answered by one <see cref="Leave"/>.</summary>
    public void Enter() => Interlocked.Increment(ref sessions);

    public void Leave() => Interlocked.Decrement(ref sessions);

    /// <summary>
    /// This machine lacks something: every client would fare the same, and trying at once again would take all of a processor.
    /// </summary>
    /// <remarks>
    /// The runtime takes ENFILE and EMFILE for one, so its own words name the wrong limit, and it knows ENOMEM by no name. An error without
    /// a name is of this machine: all that a client can cause has one.
    /// </remarks>
    internal static string? ShortageOf(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.TooManyOpenSockets or SocketError.ProcessLimit =>
            "too many files are open, in this process (ulimit -n) or on this machine (fs.file-max)",
        SocketError.NoBufferSpaceAvailable => "no memory is left for connections",
        SocketError.SocketError => "no memory is left, or something else that the system does not name",
        _ => null,
    };

    private bool Overlaps(IPEndPoint other) =>
        Bound.Port == other.Port && Bound.AddressFamily == other.AddressFamily && (IsWildcard(Bound) || IsWildcard(other));

    private static bool IsWildcard(IPEndPoint endpoint) =>
        endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any);
}
