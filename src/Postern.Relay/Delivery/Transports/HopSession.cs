using System.Net.Sockets;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Delivery.Tls;
using Postern.Smtp.Client;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Transports;

/// <summary>One open session with one host, and what it has carried.</summary>
/// <param name="options">Those of now.</param>
internal sealed class HopSession(
    HopConnection.Open opened, Func<DeliveryOptions> options, NextHop by, GroupTrust trust, TimeProvider clock) : IAsyncDisposable
{
    private readonly SmtpClientDialogue dialogue = opened.Dialogue;
    private readonly string? tls = opened.Dialogue.Tls?.Version;
    private readonly string remote = opened.Endpoint.Remote;
    private readonly GroupWindow window = new(
        opened.Dialogue, opened.Endpoint.Remote, trust, InFlightTo(by), options().FarFrom, clock);
    private HopConnection.Open connection = opened;
    private NextHop hop = by;
    private DeliveryOptions? shapedBy;
    private HopShape shape = null!;
    private int transactions;
    private bool isSpent;
    private bool hasCarried;
    private bool isSlow;

    public HopEndpoint Endpoint => connection.Endpoint;

    public bool HasTls => tls is not null;

    /// <summary>What TLS with the host came to.</summary>
    public TlsNote Security => connection.Security;

    /// <summary>
    /// Another destination may use it: the host was found by MX, and it comes from no address that is counted for a route or a tenant.
    /// </summary>
    public bool MayBeShared => Endpoint.Terms.IsGuarded && connection.Lease is null;

    /// <summary>Who opened it, with the settings of then.</summary>
    public HopConnector? By => connection.By;

    /// <summary>The host has neither closed it nor said anything since its last answer.</summary>
    public bool IsAlive
    {
        get
        {
            try
            {
                return connection.Wire?.Poll(TimeSpan.Zero, SelectMode.SelectRead) == false;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <summary>
    /// A message of this client may go over it. Who was named to the host stays so: what is nobody's needs a session of its own.
    /// </summary>
    public bool IsFor(PeerClaims? client) => Endpoint.Terms.Forward switch
    {
        ClientForward.Proxy or ClientForward.ProxyV2 => Endpoint.Client == client,
        _ => client is not null || dialogue.NamedClient is null,
    };

    /// <summary>It is another destination's from now on, on the same terms.</summary>
    public void Adopt(HopEndpoint endpoint, HostPlace place)
    {
        connection = connection with { Endpoint = endpoint, Place = place };
        (hop, shapedBy) = (place.Hop, null);
    }

    public HostPlace? Place => connection.Place;

    /// <summary>What it is held to now.</summary>
    public HopShape Shape
    {
        get
        {
            if (options() is var now && !ReferenceEquals(now, shapedBy))
            {
                shapedBy = now;
                shape = HopShape.Of(now, Paces.SubjectOf(hop, Endpoint.Host));
                dialogue.Hold(shape.Deadline, shape.MinimumRate);
            }

            return shape;
        }
    }

    /// <summary>A host that is to have less is not sent more over a connection that there is.</summary>
    public bool IsOpen => dialogue.IsOpen && transactions < Shape.MessagesPerConnection && !isSlow && !isSpent;

    /// <summary>The host takes nothing, again and again.</summary>
    public bool IsHopeless { get; private set; }

    /// <summary>The envelope of the message that follows may have been sent ahead: the next transaction is that one.</summary>
    public bool IsBespoken { get; private set; }

    /// <summary>The envelope of the message that follows may be sent ahead, and groups are not better here.</summary>
    public bool MaySendAhead => !window.IsUsable && window.MaySendAhead;

    /// <summary>How many messages may be sent at once now.</summary>
    public int Room => IsBespoken ? 1 : Math.Min(window.Room, Shape.MessagesPerConnection - transactions);

    /// <inheritdoc cref="GroupWindow.IsProvenAsync"/>
    public ValueTask<bool> IsProvenAsync(bool findsOut, CancellationToken ct) => window.IsProvenAsync(findsOut, ct);

    /// <summary>Makes one transaction; an outcome for each recipient.</summary>
    /// <param name="begunAt">The attempt; a timestamp of the clock.</param>
    public async ValueTask<Outcome[]> SendAsync(OutgoingMessage message, OutgoingMessage? following, long begunAt, CancellationToken ct)
    {
        if (message.Parameters.RequiresTls)
        {
            if (TlsRequirement.WhyNot(connection) is { } lacking)
            {
                IsBespoken = false;
                return Enumerable.Repeat<Outcome>(lacking, message.Recipients.Length).ToArray();
            }

            // Nothing leaves this machine.
            if (Endpoint.Socket is not null)
                message = TlsRequirement.Waive(message);
        }

        if (connection.Lease is { } lease)
        {
            // What it may send is counted a message: none is announced before it is known to be one of them.
            following = null;
            if (!await lease.CountAsync(ct).ConfigureAwait(false))
            {
                isSpent = true;
                return Enumerable.Repeat<Outcome>(SpentSource(lease), message.Recipients.Length).ToArray();
            }
        }

        var isLast = ++transactions >= Shape.MessagesPerConnection;
        IsBespoken = !isLast && following is not null;
        var since = clock.GetTimestamp();
        var answers = await dialogue.SendAsync(message, isLast ? null : following, ct).ConfigureAwait(false);
        window.OnAnswered(clock.GetElapsedTime(since), count: 1);
        if (dialogue.RefusedAhead is { } why)
            window.Fail(why);
        return OutcomesOf(answers, begunAt);
    }

    /// <summary>
    /// Makes the transactions of several messages, all on their way before the first is answered. How many were sent, from the first on; 0
    /// where that one goes alone.
    /// </summary>
    /// <param name="answered">
    /// Told of each that was attempted, in order, with an outcome for each recipient. The host has nothing of the others.
    /// </param>
    public async ValueTask<int> SendGroupAsync(
        IReadOnlyList<OutgoingMessage> messages, long begunAt, Action<int, Outcome[]> answered, CancellationToken ct)
    {
        var may = 0;
        while (may < messages.Count && !messages[may].Parameters.RequiresTls && !isSpent)
        {
            if (connection.Lease is { } lease && !await lease.CountAsync(ct).ConfigureAwait(false))
                isSpent = true;
            else
                may++;
        }

        if (may == 0)
            return 0;
        var since = clock.GetTimestamp();
        var result = await dialogue.SendGroupAsync(
            may == messages.Count ? messages : [.. messages.Take(may)],
            (i, answers) =>
            {
                transactions++;
                answered(i, OutcomesOf(answers, begunAt));
            },
            ct).ConfigureAwait(false);
        window.OnAnswered(clock.GetElapsedTime(since), result.Sent);
        if (result.Trouble is { } trouble)
            window.Fail(trouble);
        return result.Sent;
    }

    private Outcome[] OutcomesOf(IReadOnlyList<ClientAnswer> answers, long begunAt)
    {
        var outcomes = new ClientOutcomes(remote, tls, dialogue.Extensions, clock.GetElapsedTime(begunAt))
        {
            IsReused = transactions > 1,
            HasCarried = hasCarried,
            IsFinal = Endpoint.IsLmtp,
            IsVerified = dialogue.IsVerified,
            Security = connection.Security,
            Terms = Endpoint.Terms,
        }.Of(answers);
        var isDelivered = Array.Exists(outcomes, static o => o is Outcome.Delivered);
        if (isDelivered)
            Place?.Succeed();
        if (!Shape.TooMuch.IsEmpty)
            MarkTooMuch(outcomes);
        if (Array.Find(outcomes, o => Throttle.Is(o, hasCarried, Shape.TooMuch)) is { } throttled && Place is { } place)
            (isSlow, IsHopeless) = place.Throttle(throttled.Reply);
        hasCarried |= isDelivered;
        return outcomes;
    }

    private static int InFlightTo(NextHop hop) => hop is NextHop.SmartHost { Forward: ClientForward.None, InFlight: var most } ? most : 1;

    private void MarkTooMuch(Outcome[] outcomes)
    {
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i] is Outcome.Deferred later && Throttle.IsNamed(later, Shape.TooMuch))
                outcomes[i] = later with { IsTooMuch = true };
        }
    }

    private static Outcome.Deferred SpentSource(EgressLease lease) =>
        new(Remote: null, $"{lease.Source.Address} has sent what it may for now", Tls: null)
        {
            After = AfterDeferral.NewConnection,
            Cause = DeliveryCause.OwnSurroundings,
            Phase = DeliveryPhase.Mail,
        };

    public async ValueTask DisposeAsync()
    {
        try
        {
            // Where an envelope was sent ahead the server may wait for content, and would take QUIT for it.
            if (!IsBespoken)
                await dialogue.QuitAsync(CancellationToken.None).ConfigureAwait(false);
            await dialogue.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            connection.Lease?.Dispose();
            Place?.Leave();
        }
    }
}
