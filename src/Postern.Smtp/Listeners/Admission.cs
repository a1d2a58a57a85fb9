using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Proxy;

namespace Postern.Smtp.Listeners;

/// <summary>
/// From an accepted connection to its session: whether it may come in (the listener's clients, load, a place at the gate), whose it is (the
/// PROXY header of a load balancer), and the session itself.
/// </summary>
internal sealed class Admission(ConnectionGate gate, LoadMonitor load, OpenSessions sessions, CancellationToken closing)
{
    /// <summary>Turns the connection away, or begins its session, and returns at once.</summary>
    public void Welcome(Service service, Acceptor acceptor, Socket client)
    {
        if (client.RemoteEndPoint is not IPEndPoint peer)
        {
            client.Dispose();
            return;
        }

        var address = Plain(peer.Address);
        if (Objection(service, address, out var seat) is { } objection)
        {
            service.TellTurnedAway(address, objection);
            Refuse(service, client, objection.Reply);
            return;
        }

        acceptor.Enter();
        _ = Task.Run(() => ServeAsync(service, acceptor, client, peer, seat!));
    }

    /// <summary>Holds one session on a connection that somebody else accepted, with the same limits.</summary>
    public async Task WelcomeAsync(Service service, Stream network, EndPoint remote, CancellationToken ct)
    {
        var peer = remote as IPEndPoint ?? new IPEndPoint(IPAddress.None, 0);
        var address = Plain(peer.Address);
        if (Objection(service, address, out var seat) is { } objection)
        {
            service.TellTurnedAway(address, objection);
            await RefuseAsync(service, network, objection.Reply, ct);
            return;
        }

        using (seat)
            await ServeAsync(service, network, socket: null, peer, seat!, ct);
    }

    /// <summary>Holds one session to its end, past the gate.</summary>
    public Task HoldAsync(Service service, Stream network, IPEndPoint client) =>
        HoldAsync(
            service,
            network,
            socket: null,
            NewState(service, client, server: null, proxy: null, ProxyClaims.None),
            seat: null,
            CancellationToken.None);

    /// <summary>One reply, without waiting for the client to read it; a client that expects a TLS handshake gets only the close.</summary>
    public static void Refuse(Service service, Socket client, Reply reply)
    {
        try
        {
            client.Blocking = false;
            if (service.Options.Tls != TlsMode.Implicit)
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

    /// <summary>
    /// What stands against a connection, or null: then it has a place at the gate. A load balancer is not judged; the client it names is.
    /// </summary>
    private GateLimit? Objection(Service service, IPAddress peer, out GateSeat? seat)
    {
        seat = null;
        var isBalancer = service.IsBalancer(peer);
        if (!isBalancer && !service.MayConnect(peer))
            return Service.NotAllowed;
        if (load.State == LoadState.Full)
            return new GateLimit(TurnAwayCause.Overload, $"overload: {load.Report.Gauge}", StandardReply.Busy);
        if ((isBalancer ? gate.EnterUnnamed() : gate.Enter(peer)) is { } limit)
            return limit;
        seat = new GateSeat(gate, isBalancer ? null : peer);
        return null;
    }

    private async Task ServeAsync(Service service, Acceptor acceptor, Socket client, IPEndPoint peer, GateSeat seat)
    {
        try
        {
            client.NoDelay = true;
            await ServeAsync(service, new NetworkStream(client, ownsSocket: false), client, peer, seat, CancellationToken.None);
        }
        finally
        {
            client.Dispose();
            acceptor.Leave();
            seat.Dispose();
        }
    }

    /// <summary>
    /// Reads the PROXY header off a load balancer's connection. One without a proper header is dropped, and told nothing.
    /// </summary>
    private async Task ServeAsync(Service service, Stream network, Socket? socket, IPEndPoint peer, GateSeat seat, CancellationToken ct)
    {
        var here = socket?.LocalEndPoint as IPEndPoint;
        if (seat.IsNamed)
        {
            await HoldAsync(service, network, socket, NewState(service, peer, here, proxy: null, ProxyClaims.None), seat, ct);
            return;
        }

        var balancer = Plain(peer.Address);
        var (header, problem, _) = await ReadProxyHeaderAsync(service, network, ct);
        if (header is null)
        {
            service.Server.Events.OnProxyRefused(service.Options.Name, balancer, problem!);
            return;
        }

        var client = header.Source ?? peer;
        if (service.WhyNotWelcome(Plain(client.Address), seat) is not { } refusal)
            await HoldAsync(
                service, network, socket, NewState(service, client, header.Destination ?? here, balancer, header.Claims), seat, ct);
        else if (socket is not null)
            Refuse(service, socket, refusal);
        else
            await RefuseAsync(service, network, refusal, ct);
    }

    private async ValueTask<ProxyStep> ReadProxyHeaderAsync(Service service, Stream network, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(service.LimitsFor(isAuthenticated: false).ProxyHeader, service.Server.Clock);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, closing, ct);
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

    /// <summary>Holds one session to its end.</summary>
    /// <param name="socket">Under the stream, for the half-close at the end; null where there is none.</param>
    /// <param name="ct">Ends the session with 421 as soon as it waits for the client.</param>
    private async Task HoldAsync(Service service, Stream network, Socket? socket, SessionState state, GateSeat? seat, CancellationToken ct)
    {
        service.NoteOffers(state);
        var transport = new SmtpTransport(network, socket) { TakesLf = service.Options.BareNewlines == BareNewlines.Normalize };
        await using var session = new SmtpSession(service, transport, state) { Seat = seat };
        sessions.Enter(session);
        await using var ending = ct.UnsafeRegister(static s => ((SmtpSession)s!).Interrupt(StandardReply.ShuttingDown), session);
        try
        {
            await session.RunAsync();
        }
        finally
        {
            sessions.Leave(session);
        }
    }

    private static async ValueTask RefuseAsync(Service service, Stream network, Reply reply, CancellationToken ct)
    {
        if (service.Options.Tls != TlsMode.Implicit)
            await network.WriteAsync(reply.Encoded, ct);
    }

    private static SessionState NewState(Service service, IPEndPoint client, IPEndPoint? server, IPAddress? proxy, ProxyClaims claims)
    {
        var address = Plain(client.Address);
        return new SessionState
        {
            Id = NewSessionId(),
            Listener = service.Options.Name,
            Hostname = service.Server.Hostname,
            ClientAddress = address,
            ClientPort = client.Port,
            ServerEndpoint = server,
            ProxyAddress = proxy,
            ProxyClaims = claims,
            Trust = service.TrustIn(address),
            IsLmtp = service.Options.Protocol == MailProtocol.Lmtp,
            ConnectedAt = service.Server.Clock.GetUtcNow(),
        };
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static string NewSessionId() => RandomNumberGenerator.GetHexString(12, lowercase: true);
}
