using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Logins;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Policy.Counters;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Opens sessions with the places of a <see cref="HopTrail"/>. Addresses that came from a stranger's DNS pass the
/// <see cref="AddressGuard"/> first.
/// </summary>
internal sealed class HopConnector(DeliveryOptions options, MxResolver resolver, SmtpClientOptions client, OwnHost own)
{
    /// <summary>
    /// Whoever is in between takes STARTTLS off the offer, and guesses the password from what CRAM-MD5, DIGEST-MD5 or SCRAM show in clear.
    /// </summary>
    private const string NoLoginInClear = "the server offers no TLS, and no login is made in clear unless the route says ?tls=none";

    private readonly AddressGuard guard = new(options.AllowedMxNetworks);
    private readonly StalledTls stalled = new(options.StalledTls, client.Clock);

    /// <summary>Finds hosts that the operator named.</summary>
    public SystemNames Names { get; init; } = new(client.Clock);

    /// <summary>The connections to each host, and who waits for one.</summary>
    public HostPlaces Places { get; init; } = new(client.Clock);

    /// <summary>Certificates that hosts have shown.</summary>
    public ShownCertificates Certificates { get; init; } = new();

    /// <summary>Sessions that are open and wait for whoever has use for them; null: none do.</summary>
    public SharedSessions? Shared { get; init; }

    /// <summary>How many recipients hosts take in a transaction, where that is known.</summary>
    public RecipientLimits Recipients { get; init; } = new(client.Clock);

    /// <summary>Decides the order of servers that have weights.</summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>Since when mail exchangers are away that somebody stands in for.</summary>
    public Absences Absences { get; } = new(client.Clock);

    /// <summary>The addresses that connections come from, where a route or a tenant has a pool.</summary>
    public EgressPools Pools { get; init; } = new(UnknownCounters.Instance, client.Clock);

    /// <summary>For logins that rest on a token.</summary>
    public AccessTokens Tokens { get; init; } = new(directory: null, client.Clock, static (_, _) => { });

    /// <summary>Asked about each host before it is connected to.</summary>
    public IHopPolicy Policy { get; init; } = RouteTerms.Instance;

    /// <summary>Counts sessions for reports (RFC 8460); null where nobody does.</summary>
    public TlsCounts? Counts { get; init; }

    /// <summary>Finds the hosts that take mail for a stranger's domain.</summary>
    public MxResolver Resolver => resolver;

    /// <summary>The settings of now, for what an open connection goes by too.</summary>
    public Func<DeliveryOptions> Current { private get; init; } = () => options;

    /// <summary>The hosts that domains' mail goes to, where something is said of hosts.</summary>
    public HopHosts Hosts { get; init; } = new();

    public bool AsksForHosts => Current().Shaping.AsksForHosts;

    /// <summary>What connections to a host are held to now.</summary>
    /// <param name="route">Of whoever's connections they are.</param>
    public HopShape ShapeOf(NextHop hop, string host, string? route) =>
        HopShape.Of(Current(), new ShapingSubject((hop as NextHop.MailExchanger)?.Domain.Text, host, route));

    public HopTrail Begin(NextHop hop, long begunAt, Func<string, IHostTurn?>? admits = null, PeerClaims? whose = null) =>
        new(this, options, client.Clock, hop, begunAt) { Admits = admits, Client = whose };

    public OwnHost Own => own;

    /// <summary>Why mail to a place would come straight back here; null when it would not.</summary>
    public Outcome.Failed? WhyOurs(HopEndpoint endpoint) =>
        own.Is(endpoint.Address) ? OwnHost.Loop($"{endpoint.Remote} is this server") : null;

    /// <summary>Why a place is not connected to; null when it may be.</summary>
    public Outcome.Failed? WhyNot(HopEndpoint endpoint) => endpoint.Terms.IsGuarded && guard.WhyNot(endpoint.Address.Address) is { } why
        ? new Outcome.Failed(Remote: null, $"Mail is not sent to {endpoint.Remote}: {why} address", Tls: null, "5.4.4")
        {
            Cause = DeliveryCause.NoRoute,
            Phase = DeliveryPhase.Connect,
        }
        : null;

    /// <summary>
    /// Opens a session with one place: connects, starts TLS and logs in on its terms. The place among its connections is the session's, and
    /// given back where there is none.
    /// </summary>
    public async ValueTask<HopConnection> TryAsync(HopEndpoint endpoint, HostPlace place, HopShape shape, CancellationToken ct)
    {
        HopConnection? connection = null;
        try
        {
            connection = await TryAsync(endpoint, ct).ConfigureAwait(false);
            if (connection is HopConnection.Open open)
                return open with { Place = place };
            // Where nobody was connected to, as a login had no token, nothing is known of the host. One that does not come to the terms
            // of TLS that are owed answers all the same: fewer connections would change nothing.
            if (connection is HopConnection.Closed { Outcome: Outcome.Deferred { Cause: not DeliveryCause.OwnShortage } why }
                && why.Remote is not null)
            {
                if (Throttle.Is(why, hasCarried: false, shape.TooMuch))
                    place.Throttle(why.Reply);
                else if (why.Cause != DeliveryCause.NoTls)
                    place.Fail();
            }

            return connection;
        }
        finally
        {
            if (connection is not HopConnection.Open)
                place.Leave();
        }
    }

    /// <summary>The same beside all that is counted: for a look that brings no mail.</summary>
    public async ValueTask<HopConnection> TryAsync(HopEndpoint endpoint, CancellationToken ct)
    {
        if (endpoint.Terms is not { Grant: { } grant, Login: { } login })
            return await TryAsEverAsync(endpoint, ct).ConfigureAwait(false);
        var answer = await Tokens.GetAsync(grant, ct).ConfigureAwait(false);
        if (answer is not TokenAnswer.Granted(var token, _, _))
            return new HopConnection.Closed(LoginOutcomes.WithoutToken(answer));
        var withToken = endpoint.Terms with { Login = login with { Credentials = login.Credentials with { Token = token } } };
        var connection = await TryAsEverAsync(endpoint with { Terms = withToken }, ct).ConfigureAwait(false);
        if (connection is HopConnection.Closed { Outcome: { Cause: DeliveryCause.LoginFailed, Code: not null } })
            Tokens.Discard(grant, token);
        return connection;
    }

    private async ValueTask<HopConnection> TryAsEverAsync(HopEndpoint endpoint, CancellationToken ct)
    {
        var mayBeClear = endpoint.Terms is { Tls: ClientTls.Opportunistic, Login: null };
        if (mayBeClear && stalled.Remembers(endpoint.Address))
            return (await TryAsync(endpoint, endpoint.Terms with { Tls = ClientTls.None }, ct).ConfigureAwait(false)).Connection;
        var (connection, isClearNext) = await TryAsync(endpoint, endpoint.Terms, ct).ConfigureAwait(false);
        return isClearNext
            ? (await TryAsync(endpoint, endpoint.Terms with { Tls = ClientTls.None }, ct).ConfigureAwait(false)).Connection
            : connection;
    }

    private async ValueTask<(HopConnection Connection, bool IsClearNext)> TryAsync(
        HopEndpoint endpoint, HopTerms terms, CancellationToken ct)
    {
        var (stream, problem) = await DialAsync(endpoint, ct).ConfigureAwait(false);
        if (stream is null)
            return (new HopConnection.Closed(
                new Outcome.Deferred(endpoint.Remote, problem!, Tls: null)
                {
                    Cause = DeliveryCause.Unreachable,
                    Phase = DeliveryPhase.Connect,
                    IsUnreachable = true,
                }), false);

        var local = Counts is null ? null : (stream.Socket.LocalEndPoint as IPEndPoint)?.Address;
        var dialogue = new SmtpClientDialogue(
            stream,
            client with
            {
                Hostname = endpoint.Hello ?? client.Hostname,
                IsLmtp = endpoint.IsLmtp,
                Tls = terms.Tls,
                ServerName = terms.CertificateName ?? endpoint.Host,
                TrustedRoots = terms.Trusted,
                Proof = terms.Proof,
                Certificate = terms.Certificate,
                Forward = terms.Forward,
                Client = endpoint.Client is { ServerAddress: null } named
                    ? named with { ServerAddress = endpoint.Address.Address, ServerPort = endpoint.Address.Port }
                    : endpoint.Client,
            });
        var (answer, login) = await OpenAsync(dialogue, endpoint, terms, ct).ConfigureAwait(false);
        if (!endpoint.Terms.MayHaveOurName && own.IsCalled(dialogue.PeerNames))
        {
            await dialogue.DisposeAsync().ConfigureAwait(false);
            return (new HopConnection.Closed(
                OwnHost.Loop(
                    $"{endpoint.Remote} calls itself {own.Hostname}, which is this server's name. If it is another server, "
                        + $"one of them needs another name, or its route 'same_name: true'")), false);
        }

        var version = dialogue.Tls?.Version;
        if (version is not null || answer is ClientAnswer.Broken { Phase: ClientPhase.StartTls })
            options.Instruments?.Handshake(version);
        var security = TlsNotes.Of(dialogue, terms, answer, Certificates);
        // The second try, in clear, is the same session to the receiver: the first has been counted.
        if (Counts is not null && terms is { Subject: { } subject, Tls: not ClientTls.None })
            Count(subject, endpoint, local, security, answer, isSecured: dialogue.Tls is not null);
        var outcome = login is not null && LoginOutcomes.Of(login, endpoint.Remote, version) is { } failed
            ? failed with { IsVerified = dialogue.IsVerified, Security = security }
            : null;
        if (answer is ClientAnswer.Accepted && dialogue.IsOpen && outcome is null)
            return (new HopConnection.Open(dialogue, endpoint, security) { Wire = stream.Socket, By = this }, false);

        await dialogue.QuitAsync(ct).ConfigureAwait(false);
        await dialogue.DisposeAsync().ConfigureAwait(false);
        var isClearNext = ClearText.MayFollow(answer, terms, isSecured: version is not null);
        if (isClearNext && answer is ClientAnswer.Broken { Fault: ClientFault.Timeout })
            stalled.Note(endpoint.Address);
        return (new HopConnection.Closed(
            outcome
                ?? new ClientOutcomes(endpoint.Remote, version)
                {
                    IsVerified = dialogue.IsVerified,
                    Security = security,
                    Terms = endpoint.Terms,
                }.OfOpening(WithAdvice(answer, endpoint.Address.Port))), isClearNext);
    }

    /// <summary>A session is another destination's now: that one's policy was kept, too.</summary>
    public void CountTaken(HopSession taken)
    {
        if (Counts is not null
            && taken is { HasTls: true, Security.Fault: null, Endpoint.Terms: { Subject: { } subject, Tls: not ClientTls.None } })
            Counts.Count(subject, null);
    }

    /// <summary>A host that is not spoken to for what its domain publishes failed as one that was.</summary>
    public void CountRefused(HopTerms terms, string host)
    {
        if (Counts is not null && terms is { Subject: { } subject, WhyNot: { Security.Fault: { } fault } why })
            Counts.Count(subject, new TlsFailure(TlsWords.Of(fault), From: null, host, Address: null, CertificateNames.Visible(why.Reply)));
    }

    private void Count(
        TlsSubject subject, HopEndpoint endpoint, IPAddress? local, TlsNote security, ClientAnswer answer, bool isSecured)
    {
        var fault = security.Fault ?? (!isSecured && answer is ClientAnswer.Accepted ? TlsFault.StartTlsNotSupported : null);
        // What ended before TLS was spoken of says nothing of it.
        if (fault is null && !isSecured)
            return;
        Counts!.Count(
            subject,
            fault is not { } known ? null : new TlsFailure(
                TlsWords.Of(known),
                local?.ToString(),
                endpoint.Host,
                endpoint.Address.Address.ToString(),
                answer is ClientAnswer.Broken { Phase: ClientPhase.StartTls } broken ? CertificateNames.Visible(broken.Detail) : null));
    }

    /// <summary>Greets, and logs in where the route says so; what it throws has disposed the dialogue.</summary>
    private async ValueTask<(ClientAnswer Answer, ClientLoginAnswer? Login)> OpenAsync(
        SmtpClientDialogue dialogue, HopEndpoint endpoint, HopTerms terms, CancellationToken ct)
    {
        try
        {
            var answer = await dialogue.OpenAsync(ct).ConfigureAwait(false);
            if (answer is ClientAnswer.Broken { Cause: { } cause } && OwnShortage.WordsOf(cause) is not null)
                ExceptionDispatchInfo.Throw(cause);
            if (terms.Login is null
                || answer is not ClientAnswer.Accepted
                || !dialogue.IsOpen
                || (!endpoint.Terms.MayHaveOurName && own.IsCalled(dialogue.PeerNames)))
                return (answer, null);
            return (answer, terms.Tls == ClientTls.Opportunistic && dialogue.Tls is null
                ? new ClientLoginAnswer.Unsuitable(NoLoginInClear)
                : await dialogue.LogInAsync(terms.Login, ct).ConfigureAwait(false));
        }
        catch
        {
            await dialogue.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Who waits for a handshake says nothing at first: on the port that is for it, the silence has a likely reason.</summary>
    internal static ClientAnswer WithAdvice(ClientAnswer answer, int port) =>
        port == 465
            && answer is ClientAnswer.Broken { Phase: ClientPhase.Greeting, Fault: ClientFault.Timeout
                or ClientFault.ConnectionLost } silent
            ? silent with { Detail = $"{silent.Detail}; on port 465 TLS comes first: smtps:// is meant, not smtp://" }
            : answer;

    private async ValueTask<(NetworkStream? Stream, string? Problem)> DialAsync(HopEndpoint endpoint, CancellationToken ct)
    {
        Socket? socket = null;
        using var deadline = new CancellationTokenSource(options.Timeouts.Connect, client.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            socket = endpoint.Socket is null
                ? new Socket(endpoint.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
                : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            if (endpoint.From is { } from)
                socket.Bind(new IPEndPoint(from, 0));
            EndPoint to = endpoint.Socket is { } path ? new UnixDomainSocketEndPoint(path) : endpoint.Address;
            await socket.ConnectAsync(to, either.Token).ConfigureAwait(false);
            return (new NetworkStream(socket, ownsSocket: true), null);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            if (OwnShortage.WordsOf(e) is not null)
                throw;
            return (null, socket is { IsBound: false } && endpoint.From is { } from ? $"bind to {from}: {e.Message}"
                : endpoint.Socket is null ? $"connect: {e.Message}"
                : $"connect: {OfSocket(e)}");
        }
        catch (OperationCanceledException)
        {
            socket?.Dispose();
            ct.ThrowIfCancellationRequested();
            return (null, $"connect: no answer within {options.Timeouts.Connect.TotalSeconds:0.###} s");
        }
    }

    /// <summary>The system's words for a path that is not there speak of an address.</summary>
    private static string OfSocket(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressNotAvailable => "there is no such socket; does the server that makes it run?",
        SocketError.ConnectionRefused => "nobody listens at this socket; does the server that made it run?",
        SocketError.AccessDenied =>
            "the user that Postern runs as may not open this socket; look at its owner and mode, and at those of its directories",
        _ => e.Message,
    };
}

/// <summary>What connecting to a next hop came to.</summary>
internal abstract record HopConnection
{
    private HopConnection()
    {
    }

    public sealed record Open(SmtpClientDialogue Dialogue, HopEndpoint Endpoint, TlsNote Security) : HopConnection
    {
        /// <summary>Left when the session ends.</summary>
        public HostPlace? Place { get; init; }

        /// <summary>The source of a pool that it comes from; null for none.</summary>
        public EgressLease? Lease { get; init; }

        /// <summary>Who opened it, with the settings of then.</summary>
        public HopConnector? By { get; init; }

        /// <summary>What it goes over; null where nobody can look at it.</summary>
        public Socket? Wire { get; init; }
    }

    /// <summary>A session that another destination had use for, and is this one's now.</summary>
    public sealed record Taken(HopSession Session) : HopConnection;

    /// <summary>Nobody was connected to: the host has as many connections as it may have.</summary>
    public sealed record Full(IHostTurn Turn) : HopConnection;

    /// <summary>No host took the connection; the outcome holds for every message.</summary>
    public sealed record Closed(Outcome Outcome) : HopConnection;
}

/// <summary>One address of one host of a next hop.</summary>
/// <param name="Preference">Of the mail exchanger, or the place of a named server in its list.</param>
internal sealed record HopEndpoint(string Host, IPEndPoint Address, HopTerms Terms, int Preference)
{
    /// <summary>The address of this machine to connect from; null for the system's choice.</summary>
    public IPAddress? From { get; init; }

    /// <summary>What this server calls itself there; null for its own name.</summary>
    public Domain? Hello { get; init; }

    /// <summary>LMTP is spoken there.</summary>
    public bool IsLmtp { get; init; }

    /// <summary>What has a limit for connections of some destinations alone: they share none with others.</summary>
    public string Limits { get; init; } = string.Empty;

    /// <summary>Whose mail the connection carries, where the host is told with its first octets; null for none.</summary>
    public PeerClaims? Client { get; init; }

    /// <summary>The path of the Unix socket that is connected to in place of <see cref="Address"/>; null for none.</summary>
    public string? Socket { get; init; }

    /// <summary><c>host[address]:port</c>, or <c>unix:/path</c>.</summary>
    public string Remote => Socket is not null ? $"{Outcome.Socket}{Socket}"
        : Host == Address.Address.ToString() ? $"[{Address.Address}]:{Address.Port}" : $"{Host}[{Address.Address}]:{Address.Port}";
}
