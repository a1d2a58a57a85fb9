using System.Net;
using Postern.Smtp.Events;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// What the sessions of one listener share: options, limits, TLS, offers. Immutable but for the mechanisms on offer. When the server's
/// options change, new services take the place of the old ones, and sessions that are open keep theirs.
/// </summary>
internal sealed class Service
{
    /// <summary>What a client is told whom the listener does not list.</summary>
    public static readonly GateLimit NotAllowed = new(
        TurnAwayCause.NotAllowed, "not in the listener's clients", StandardReply.ClientNotAllowed);

    private readonly LimitsByLoad limits;
    private readonly LoadMonitor load;
    private readonly CancellationToken closing;
    private volatile Capabilities[] offers;

    /// <param name="instruments">The server's, like its load.</param>
    /// <param name="load">The server's, whatever its options.</param>
    /// <param name="tls">The handshakes; null where there is no TLS.</param>
    /// <param name="closing">Cancelled when the server begins to stop.</param>
    public Service(
        SmtpServerOptions server,
        SmtpListenerOptions options,
        LoadMonitor load,
        SmtpInstruments instruments,
        ListenerTls? tls,
        CancellationToken closing)
    {
        Instruments = instruments;
        this.load = load;
        this.closing = closing;
        Server = server;
        Options = options;
        Tls = tls;
        limits = new LimitsByLoad(options.Limits ?? server.Limits);
        offers = OffersOf(options);
        Greeting = new Reply(220, status: null, $"{server.Hostname} {(options.Protocol == MailProtocol.Lmtp ? "LMTP" : "ESMTP")} Postern");
    }

    public SmtpListenerOptions Options { get; }

    public SmtpServerOptions Server { get; }

    public Reply Greeting { get; }

    /// <summary>What is measured of its sessions.</summary>
    public SmtpInstruments Instruments { get; }

    /// <summary>Null where there is no TLS.</summary>
    public ListenerTls? Tls { get; }

    /// <summary>What is offered in the place of the options' mechanisms; null: those are.</summary>
    public IReadOnlyList<string>? OfferedInstead { get; private set; }

    public LoadState Load => load.State;

    /// <summary>What MAIL is answered while the server takes no more; null while it does.</summary>
    public Reply? Refusal => load.Refusal;

    public bool IsStopping => closing.IsCancellationRequested;

    /// <summary>The limits in force now for a client that has logged in, or has not.</summary>
    public SessionLimits LimitsFor(bool isAuthenticated) => limits.For(Load, isAuthenticated);

    /// <summary>From the next command on of every session that shares this.</summary>
    public void Offer(IReadOnlyList<string> mechanisms)
    {
        OfferedInstead = mechanisms;
        offers = OffersOf(Options with { Mechanisms = mechanisms });
    }

    public Capabilities CapabilitiesFor(
        bool isTls, bool isLoggedIn = false, PeerTrust trust = PeerTrust.None, bool hasCertificate = false, bool ties = false) =>
        offers[((int)trust << 4) | (ties ? 8 : 0) | (hasCertificate ? 4 : 0) | (isLoggedIn ? 2 : 0) | (isTls ? 1 : 0)];

    /// <summary>Writes down whether AUTH is on offer in the session's present state.</summary>
    public void NoteOffers(SessionState state)
    {
        state.OffersAuth = CapabilitiesFor(state.Tls is not null, hasCertificate: state.OwnCertificate is not null).Mechanisms.Count > 0;
        state.OffersAuthAfterTls = state.Tls is null
            && CapabilitiesFor(isTls: false).OffersTls
            && CapabilitiesFor(isTls: true, hasCertificate: true).Mechanisms.Count > 0;
    }

    public bool MayConnect(IPAddress client) => Options.Clients is null || Contains(Options.Clients, client);

    /// <summary>Whether this peer has to name the client by a PROXY header.</summary>
    public bool IsBalancer(IPAddress peer) => Contains(Options.ProxyFrom, peer);

    /// <summary>What the peer may say of others.</summary>
    public PeerTrust TrustIn(IPAddress peer) =>
        (Contains(Options.XClientFrom, peer) ? PeerTrust.XClient : PeerTrust.None)
        | (Contains(Options.XForwardFrom, peer) ? PeerTrust.XForward : PeerTrust.None)
        | (Contains(Options.XVerpFrom, peer) ? PeerTrust.XVerp : PeerTrust.None);

    /// <summary>
    /// Why a client that was named by PROXY or XCLIENT may not be here, or null: then the connection counts as its own from now on.
    /// </summary>
    public Reply? WhyNotWelcome(IPAddress client, GateSeat? seat)
    {
        var limit = MayConnect(client) ? seat?.MoveTo(client) : NotAllowed;
        if (limit is not null)
            TellTurnedAway(client, limit);
        return limit?.Reply;
    }

    /// <summary>A client is turned away at the door.</summary>
    public void TellTurnedAway(IPAddress client, GateLimit limit)
    {
        Instruments.TurnedAway(Options.Name, limit.Cause);
        Server.Events.OnTurnedAway(Options.Name, client, limit.Cause, limit.Reason);
    }

    private Capabilities[] OffersOf(SmtpListenerOptions options)
    {
        var made = new Capabilities[16 * ((int)PeerTrust.All + 1)];
        for (var i = 0; i < made.Length; i++)
            made[i] = Capabilities.Derive(
                Server,
                options,
                isTls: (i & 1) != 0,
                isLoggedIn: (i & 2) != 0,
                (PeerTrust)(i >> 4),
                hasCertificate: (i & 4) != 0,
                ties: (i & 8) != 0);
        return made;
    }

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
}

/// <summary>
/// The limits of one listener in each state, made once. Under pressure a client that did not log in has less time than one that
/// did; what EHLO has announced stays (<see cref="SessionLimits.MessageOctets"/>).
/// </summary>
internal sealed class LimitsByLoad(SessionLimits normal)
{
    private readonly SessionLimits stressed = Tighten(normal, TimeSpan.FromSeconds(30));
    private readonly SessionLimits urgent = Tighten(normal, TimeSpan.FromSeconds(10));

    public SessionLimits For(LoadState state, bool isAuthenticated) => state switch
    {
        LoadState.Normal => normal,
        LoadState.Stressed when isAuthenticated => stressed,
        _ => urgent,
    };

    private static SessionLimits Tighten(SessionLimits limits, TimeSpan idle) => limits with
    {
        Idle = Least(limits.Idle, idle),
        DataBlock = Least(limits.DataBlock, idle),
        DataOctetsPerSecond = Math.Max(limits.DataOctetsPerSecond, 4_000),
        Handshake = Least(limits.Handshake, TimeSpan.FromSeconds(10)),
        Recipients = Math.Min(limits.Recipients, 100),
        FailedLogins = Math.Min(limits.FailedLogins, 3),
        BadCommands = Math.Min(limits.BadCommands, 5),
        Refusals = Math.Min(limits.Refusals, 20),
    };

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
