using System.Globalization;
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
    private volatile Capabilities[] offers;

    public SmtpListener(SmtpServer owner, SmtpListenerOptions options)
    {
        this.owner = owner;
        Options = options;
        limits = new LimitsByLoad(options.Limits ?? Server.Limits);
        Tls = options.Tls == TlsMode.None || Server.Tls is null ? null : new ListenerTls(Server.Tls, options, owner.Handshakes);
        offers = OffersOf(options);
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

    /// <summary>With the real port numbers; stays when the sockets are closed.</summary>
    public IReadOnlyList<IPEndPoint> Bound { get; private set; } = [];

    /// <summary>The limits in force now for a client that has logged in, or has not.</summary>
    public SessionLimits LimitsFor(bool isAuthenticated) => limits.For(Load, isAuthenticated);

    /// <summary>From the next command on.</summary>
    public void Offer(IReadOnlyList<string> mechanisms) => offers = OffersOf(Options with { Mechanisms = mechanisms });

    public Capabilities CapabilitiesFor(bool isTls, bool isLoggedIn = false, PeerTrust trust = PeerTrust.None, bool hasCertificate = false, bool ties = false) =>
        offers[((int)trust << 4) | (ties ? 8 : 0) | (hasCertificate ? 4 : 0) | (isLoggedIn ? 2 : 0) | (isTls ? 1 : 0)];

    private Capabilities[] OffersOf(SmtpListenerOptions options)
    {
        var made = new Capabilities[16 * ((int)(PeerTrust.XClient | PeerTrust.XForward) + 1)];
        for (var i = 0; i < made.Length; i++)
            made[i] = Capabilities.Derive(Server, options, isTls: (i & 1) != 0, isLoggedIn: (i & 2) != 0, (PeerTrust)(i >> 4), hasCertificate: (i & 4) != 0, ties: (i & 8) != 0);
        return made;
    }

    /// <summary>Writes down whether AUTH is on offer in the session's present state.</summary>
    public void NoteOffers(SessionState state)
    {
        state.OffersAuth = CapabilitiesFor(state.Tls is not null, hasCertificate: state.OwnCertificate is not null).Mechanisms.Count > 0;
        state.OffersAuthAfterTls = state.Tls is null && CapabilitiesFor(isTls: false).OffersTls && CapabilitiesFor(isTls: true, hasCertificate: true).Mechanisms.Count > 0;
    }

    /// <exception cref="ListenException">An endpoint cannot be bound; nothing stays bound.</exception>
    public void Bind()
    {
        foreach (var endpoint in Options.Endpoints)
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
                    socket.DualMode = false;
                socket.Bind(endpoint);
                socket.Listen(Backlog);
                sockets.Add(socket);
            }
            catch (SocketException e)
            {
                socket?.Dispose();
                Unbind();
                throw new ListenException(Options.Name, endpoint, e);
            }
        }

        Bound = [.. sockets.Select(static s => (IPEndPoint)s.LocalEndPoint!)];
    }

    /// <summary>As if it had never been bound.</summary>
    public void Unbind()
    {
        Close();
        sockets.Clear();
        Bound = [];
    }

    public IEnumerable<Task> Accept() => sockets.Select(socket => Task.Run(() => AcceptAsync(socket)));

    public void Close()
    {
        foreach (var socket in sockets)
            socket.Dispose();
    }

    private async Task AcceptAsync(Socket socket)
    {
        long? shortSince = null;
        while (!IsStopping)
        {
            try
            {
                var client = await socket.AcceptAsync();
                if (shortSince is { } since)
                {
                    shortSince = null;
                    Server.Events.OnListenerTrouble(Options.Name, string.Create(CultureInfo.InvariantCulture, $"accepts again after {Server.Clock.GetElapsedTime(since).TotalSeconds:0} s"));
                }

                Welcome(client);
            }
            catch (SocketException e) when (ShortageOf(e) is not null && !IsStopping)
            {
                // Told once, however long it lasts: what is told takes a file and room as well.
                if (shortSince is null)
                    Server.Events.OnListenerTrouble(Options.Name, $"{ShortageOf(e)}: clients wait, nobody is accepted until there is enough again");
                shortSince ??= Server.Clock.GetTimestamp();
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

    /// <summary>This machine lacks something: every client would fare the same, and trying at once again would take all of a processor.</summary>
    /// <remarks>
    /// The runtime takes ENFILE and EMFILE for one, so its own words name the wrong limit, and it knows ENOMEM by no name. An error without a name is of
    /// this machine: all that a client can cause has one.
    /// </remarks>
    internal static string? ShortageOf(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.TooManyOpenSockets or SocketError.ProcessLimit => "too many files are open, in this process (ulimit -n) or on this machine (fs.file-max)",
        SocketError.NoBufferSpaceAvailable => "no memory is left for connections",
        SocketError.SocketError => "no memory is left, or something else that the system does not name",
        _ => null,
    };

    private void Welcome(Socket client)
    {
        if (client.RemoteEndPoint is not IPEndPoint peer)
        {
            client.Dispose();
            return;
        }

        var address = Plain(peer.Address);
        if (Objection(address, out var place, out var reason) is { } objection)
            TurnAway(client, address, objection, reason);
        else
            _ = Task.Run(() => ServeAsync(client, peer, place!));
    }

    /// <summary>What stands against a connection, or null: then it has a place at the gate. A load balancer is not judged; the client it names is.</summary>
    private Reply? Objection(IPAddress peer, out GatePlace? place, out string reason)
    {
        place = null;
        reason = "not in the listener's clients";
        var isBalancer = Contains(Options.ProxyFrom, peer);
        if (!isBalancer && !MayConnect(peer))
            return StandardReply.ClientNotAllowed;
        if (Load == LoadState.Full)
        {
            reason = $"overload: {owner.LoadReport.Gauge}";
            return StandardReply.Busy;
        }

        if (!(isBalancer ? owner.Gate.TryEnterUnnamed(out reason) : owner.Gate.TryEnter(peer, out reason)))
            return reason.Contains("address", StringComparison.Ordinal) ? StandardReply.TooManyFromAddress : StandardReply.TooManyConnections;
        place = new GatePlace(owner, isBalancer ? null : peer);
        return null;
    }

    /// <summary>Why a client that was named by PROXY or XCLIENT may not be here, or null: then the connection counts as its own from now on.</summary>
    public Reply? WhyNotWelcome(IPAddress client, GatePlace? place)
    {
        var reason = "not in the listener's clients";
        var mayConnect = MayConnect(client);
        if (mayConnect && (place is null || place.TryMove(client, out reason)))
            return null;
        Server.Events.OnTurnedAway(Options.Name, client, reason);
        return mayConnect ? StandardReply.TooManyFromAddress : StandardReply.ClientNotAllowed;
    }

    /// <summary>Holds one session on a connection that somebody else accepted, with the same limits.</summary>
    public async Task WelcomeAsync(Stream network, EndPoint remote, CancellationToken ct)
    {
        var peer = remote as IPEndPoint ?? new IPEndPoint(IPAddress.None, 0);
        var address = Plain(peer.Address);
        if (Objection(address, out var place, out var reason) is { } objection)
        {
            Server.Events.OnTurnedAway(Options.Name, address, reason);
            await RefuseAsync(network, objection, ct);
            return;
        }

        using (place)
            await ServeAsync(network, socket: null, peer, place!, ct);
    }

    private async Task ServeAsync(Socket client, IPEndPoint peer, GatePlace place)
    {
        try
        {
            client.NoDelay = true;
            await ServeAsync(new NetworkStream(client, ownsSocket: false), client, peer, place, CancellationToken.None);
        }
        finally
        {
            client.Dispose();
            place.Dispose();
        }
    }

    /// <summary>Reads the PROXY header off a load balancer's connection. One without a proper header is dropped, and told nothing.</summary>
    private async Task ServeAsync(Stream network, Socket? socket, IPEndPoint peer, GatePlace place, CancellationToken ct)
    {
        var here = socket?.LocalEndPoint as IPEndPoint;
        if (place.IsNamed)
        {
            await ServeAsync(network, socket, NewState(peer, here, proxy: null, ProxyClaims.None), place, ct);
            return;
        }

        var balancer = Plain(peer.Address);
        var (header, problem, _) = await ReadProxyHeaderAsync(network, ct);
        if (header is null)
        {
            Server.Events.OnProxyRefused(Options.Name, balancer, problem!);
            return;
        }

        var client = header.Source ?? peer;
        if (WhyNotWelcome(Plain(client.Address), place) is not { } refusal)
            await ServeAsync(network, socket, NewState(client, header.Destination ?? here, balancer, header.Claims), place, ct);
        else if (socket is not null)
            Refuse(socket, refusal);
        else
            await RefuseAsync(network, refusal, ct);
    }

    private async ValueTask<ProxyStep> ReadProxyHeaderAsync(Stream network, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(LimitsFor(isAuthenticated: false).ProxyHeader, Server.Clock);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, owner.Closing, ct);
        try
        {
            return await ProxyReader.ReadAsync(network, any.Token);
        }
        catch (OperationCanceledException)
        {
            return ProxyStep.Wrong(patience.IsCancellationRequested ? "no PROXY header in time" : "server stopping");
        }
        catch (IOException e)
        {
            return ProxyStep.Wrong(e.Message);
        }
    }

    /// <summary>Holds one session to its end, past the gate.</summary>
    internal Task ServeAsync(Stream network, Socket? socket, int port, IPAddress address) =>
        ServeAsync(network, socket, NewState(new IPEndPoint(address, port), server: null, proxy: null, ProxyClaims.None), place: null, CancellationToken.None);

    /// <summary>Holds one session to its end.</summary>
    /// <param name="socket">Under the stream, for the half-close at the end; null where there is none.</param>
    /// <param name="ct">Ends the session with 421 as soon as it waits for the client.</param>
    private async Task ServeAsync(Stream network, Socket? socket, SessionState state, GatePlace? place, CancellationToken ct)
    {
        NoteOffers(state);
        await using var session = new SmtpSession(this, new SmtpTransport(network, socket) { TakesLf = Options.BareNewlines == BareNewlines.Normalize }, state) { Place = place };
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

    private void TurnAway(Socket client, IPAddress address, Reply reply, string reason)
    {
        Server.Events.OnTurnedAway(Options.Name, address, reason);
        Refuse(client, reply);
    }

    /// <summary>One reply, without waiting for the client to read it; a client that expects a TLS handshake gets only the close.</summary>
    private void Refuse(Socket client, Reply reply)
    {
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

    private async ValueTask RefuseAsync(Stream network, Reply reply, CancellationToken ct)
    {
        if (Options.Tls != TlsMode.Implicit)
            await network.WriteAsync(reply.Encoded, ct);
    }

    private SessionState NewState(IPEndPoint client, IPEndPoint? server, IPAddress? proxy, ProxyClaims claims)
    {
        var address = Plain(client.Address);
        return new SessionState
        {
            Id = NewSessionId(),
            Listener = Options.Name,
            Hostname = Server.Hostname,
            ClientAddress = address,
            ClientPort = client.Port,
            ServerEndpoint = server,
            ProxyAddress = proxy,
            ProxyClaims = claims,
            Trust = (Contains(Options.XClientFrom, address) ? PeerTrust.XClient : PeerTrust.None)
                | (Contains(Options.XForwardFrom, address) ? PeerTrust.XForward : PeerTrust.None),
            IsLmtp = Options.Protocol == MailProtocol.Lmtp,
            ConnectedAt = Server.Clock.GetUtcNow(),
        };
    }

    private bool MayConnect(IPAddress client) => Options.Clients is null || Contains(Options.Clients, client);

    private static bool Contains(IReadOnlyList<IPNetwork>? networks, IPAddress address)
    {
        if (networks is null)
            return false;
        foreach (var network in networks)
        {
            if (network.Contains(address))
                return true;
        }

        return false;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static string NewSessionId() => RandomNumberGenerator.GetHexString(12, lowercase: true);
}
