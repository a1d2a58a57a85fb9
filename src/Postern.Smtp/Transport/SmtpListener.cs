using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport;

/// <summary>
/// One listener: its sockets, its accept loops, and what its sessions share. An error while accepting is of one of three kinds: the
/// socket is gone (the loop ends), the machine lacks resources (wait a little), or that one client was lost (go on).
/// </summary>
internal sealed class SmtpListener
{
    private const int Backlog = 1024;
    private static readonly TimeSpan Backoff = TimeSpan.FromMilliseconds(100);

    private readonly SmtpServer owner;
    private readonly List<Socket> sockets = [];
    private readonly LimitsByLoad limits;
    private readonly Capabilities inClear;
    private readonly Capabilities inClearLoggedIn;
    private readonly Capabilities underTls;
    private readonly Capabilities underTlsLoggedIn;

    public SmtpListener(SmtpServer owner, SmtpListenerOptions options)
    {
        this.owner = owner;
        Options = options;
        limits = new LimitsByLoad(options.Limits ?? Server.Limits);
        Tls = options.Tls == TlsMode.None || Server.Tls is null ? null : new ListenerTls(Server.Tls, options, owner.Handshakes);
        inClear = Capabilities.Derive(Server, options, isTls: false, isLoggedIn: false);
        inClearLoggedIn = Capabilities.Derive(Server, options, isTls: false, isLoggedIn: true);
        underTls = Capabilities.Derive(Server, options, isTls: true, isLoggedIn: false);
        underTlsLoggedIn = Capabilities.Derive(Server, options, isTls: true, isLoggedIn: true);
        Greeting = new Reply(220, status: null, $"{Server.Hostname} {(options.Protocol == MailProtocol.Lmtp ? "LMTP" : "ESMTP")} Postern");
    }

    public SmtpListenerOptions Options { get; }

    public SmtpServerOptions Server => owner.Options;

    public Reply Greeting { get; }

    /// <summary>Null where there is no TLS.</summary>
    public ListenerTls? Tls { get; }

    public LoadState Load => owner.Load.State;

    /// <summary>What MAIL is answered while the server takes no more; null while it does.</summary>
    public Reply? Refusal => owner.Load.Refusal;

    public bool IsStopping => owner.IsStopping;

    public IEnumerable<IPEndPoint> Bound => sockets.Select(static s => (IPEndPoint)s.LocalEndPoint!);

    /// <summary>The limits in force now for a client that has logged in, or has not.</summary>
    public SessionLimits LimitsFor(bool isAuthenticated) => limits.For(Load, isAuthenticated);

    public Capabilities CapabilitiesFor(bool isTls, bool isLoggedIn = false) =>
        isLoggedIn ? (isTls ? underTlsLoggedIn : inClearLoggedIn) : (isTls ? underTls : inClear);

    /// <summary>Writes down whether AUTH is on offer in the session's present state.</summary>
    public void NoteOffers(SessionState state)
    {
        state.OffersAuth = CapabilitiesFor(state.Tls is not null).Mechanisms.Count > 0;
        state.OffersAuthAfterTls = state.Tls is null && inClear.OffersTls && underTls.Mechanisms.Count > 0;
    }

    /// <exception cref="ListenException">An endpoint cannot be bound; nothing stays bound.</exception>
    public void Bind()
    {
        foreach (var endpoint in Options.Endpoints)
        {
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
                    socket.DualMode = false;
                socket.Bind(endpoint);
                socket.Listen(Backlog);
                sockets.Add(socket);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                Close();
                throw new ListenException(Options.Name, endpoint, e);
            }
        }
    }

    public IEnumerable<Task> Accept() => sockets.Select(socket => Task.Run(() => AcceptAsync(socket)));

    public void Close()
    {
        foreach (var socket in sockets)
            socket.Dispose();
    }

    private async Task AcceptAsync(Socket socket)
    {
        while (!IsStopping)
        {
            try
            {
                Welcome(await socket.AcceptAsync());
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                Server.Events.OnListenerTrouble(Options.Name, $"{e.Message}: waiting before the next accept");
                await Task.Delay(Backoff, Server.Clock);
            }
            catch (SocketException e) when (e.SocketErrorCode is not (SocketError.OperationAborted or SocketError.NotSocket or SocketError.InvalidArgument) && !IsStopping)
            {
                // That client was lost between the handshake and us; the next one is not.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (!IsStopping)
                    Server.Events.OnListenerTrouble(Options.Name, $"stopped accepting: {e.Message}");
                return;
            }
        }
    }

    private void Welcome(Socket client)
    {
        if (client.RemoteEndPoint is not IPEndPoint peer)
        {
            client.Dispose();
            return;
        }

        var address = peer.Address.IsIPv4MappedToIPv6 ? peer.Address.MapToIPv4() : peer.Address;
        if (Objection(address, out var reason) is { } objection)
            TurnAway(client, address, objection, reason);
        else
            _ = Task.Run(() => ServeAsync(client, peer, address));
    }

    /// <summary>What stands against a client, or null: then it has a place at the gate.</summary>
    private Reply? Objection(IPAddress client, out string reason)
    {
        reason = "not in the listener's clients";
        if (Options.Clients is { } clients && !clients.Any(network => network.Contains(client)))
            return StandardReply.ClientNotAllowed;
        if (Load == LoadState.Full)
        {
            reason = $"overload: {owner.LoadReport.Gauge}";
            return StandardReply.Busy;
        }

        if (owner.Gate.TryEnter(client, out reason))
            return null;
        return reason.Contains("address", StringComparison.Ordinal) ? StandardReply.TooManyFromAddress : StandardReply.TooManyConnections;
    }

    /// <summary>Holds one session on a connection that somebody else accepted, with the same limits.</summary>
    public async Task WelcomeAsync(Stream network, EndPoint remote, CancellationToken ct)
    {
        var (peer, port) = remote is IPEndPoint ip ? (ip.Address, ip.Port) : (IPAddress.None, 0);
        var address = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        if (Objection(address, out var reason) is { } objection)
        {
            Server.Events.OnTurnedAway(Options.Name, address, reason);
            if (Options.Tls != TlsMode.Implicit)
                await network.WriteAsync(objection.Encoded, ct);
            return;
        }

        try
        {
            await ServeAsync(network, socket: null, port, address, ct);
        }
        finally
        {
            owner.LeaveGate(address);
        }
    }

    private async Task ServeAsync(Socket client, IPEndPoint peer, IPAddress address)
    {
        try
        {
            client.NoDelay = true;
            await ServeAsync(new NetworkStream(client, ownsSocket: false), client, peer.Port, address);
        }
        finally
        {
            client.Dispose();
            owner.LeaveGate(address);
        }
    }

    /// <summary>Holds one session to its end.</summary>
    /// <param name="socket">Under the stream, for the half-close at the end; null where there is none.</param>
    /// <param name="ct">Ends the session with 421 as soon as it waits for the client.</param>
    internal async Task ServeAsync(Stream network, Socket? socket, int port, IPAddress address, CancellationToken ct = default)
    {
        var state = new SessionState
        {
            Id = NewSessionId(),
            Listener = Options.Name,
            Hostname = Server.Hostname,
            ClientAddress = address,
            ClientPort = port,
            IsLmtp = Options.Protocol == MailProtocol.Lmtp,
            ConnectedAt = Server.Clock.GetUtcNow(),
        };
        NoteOffers(state);
        await using var session = new SmtpSession(this, new SmtpTransport(network, socket), state);
        owner.Enter(session);
        await using var ending = ct.UnsafeRegister(static s => ((SmtpSession)s!).Interrupt(StandardReply.ShuttingDown), session);
        try
        {
            await session.RunAsync();
        }
        finally
        {
            owner.Leave(session);
        }
    }

    /// <summary>One reply, without waiting for the client to read it; a client that expects a TLS handshake gets only the close.</summary>
    private void TurnAway(Socket client, IPAddress address, Reply reply, string reason)
    {
        Server.Events.OnTurnedAway(Options.Name, address, reason);
        try
        {
            client.Blocking = false;
            if (Options.Tls != TlsMode.Implicit)
            {
                client.Send(reply.Encoded.Span, SocketFlags.None, out _);
                client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (SocketException)
        {
            // It left before it could be told.
        }
        finally
        {
            client.Dispose();
        }
    }

    private static string NewSessionId() => RandomNumberGenerator.GetHexString(12, lowercase: true);
}
