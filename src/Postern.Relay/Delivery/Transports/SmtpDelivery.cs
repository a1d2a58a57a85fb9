using System.Net;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Logins;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Policy.Counters;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Delivery by SMTP or LMTP, to a named host or to the mail exchangers of a domain; and what routes name in the place of a server.
/// </summary>
public sealed class SmtpDelivery : IDeliveryTransport
{
    private readonly Func<IReadOnlyList<IPEndPoint>> listeners;
    private readonly TimeProvider clock;
    private readonly HostPlaces places;
    private readonly SystemNames names;
    private readonly RecipientLimits recipients;
    private readonly StsCache policies;
    private readonly TlsCounts? counts;
    private readonly AccessTokens tokens;
    private readonly EgressPools pools;
    private readonly TlsMemory memory;
    private readonly HopHosts hosts = new();
    private volatile Settings settings;

    /// <param name="listeners">Where this server listens, now; null where it does not.</param>
    public SmtpDelivery(DeliveryOptions options, TimeProvider clock, Func<IReadOnlyList<IPEndPoint>>? listeners = null)
        : this(options, clock, listeners, new StsCache(directory: null, clock))
    {
    }

    /// <param name="policies">MTA-STS policies that are kept; they outlive changed options.</param>
    /// <param name="counts">Counts sessions for reports; null where nobody does.</param>
    /// <param name="counters">Count what sources of pools send; null: nothing does.</param>
    /// <param name="loginRefused">Told once that a token endpoint refuses a login for good, in words for people; null for nobody.</param>
    internal SmtpDelivery(
        DeliveryOptions options,
        TimeProvider clock,
        Func<IReadOnlyList<IPEndPoint>>? listeners,
        StsCache policies,
        TlsCounts? counts = null,
        ICounters? counters = null,
        Action<TokenGrant, string>? loginRefused = null)
    {
        pools = new EgressPools(counters ?? UnknownCounters.Instance, clock);
        (this.listeners, this.clock, this.policies, this.counts) = (listeners ?? (static () => []), clock, policies, counts);
        (places, names, recipients) = (new HostPlaces(clock), new SystemNames(clock), new RecipientLimits(clock));
        Shared = new SharedSessions(places, clock);
        (Groups, memory) = (new GroupTrust(clock), new TlsMemory(clock));
        tokens = new AccessTokens(options.TokenDirectory, clock, loginRefused ?? (static (_, _) => { }));
        settings = Make(options);
    }

    public Action<string, string>? Tell
    {
        set => places.Tell = tokens.Tell = Groups.Tell = value;
    }

    /// <summary>What counts for the next connection.</summary>
    internal HopConnector Connector => settings.Connector;

    internal DeliveryOptions Options => settings.Options;

    /// <summary>Sessions that wait for whoever has use for them.</summary>
    internal SharedSessions Shared { get; }

    /// <summary>Which addresses keep step with several messages at a time.</summary>
    internal GroupTrust Groups { get; }

    public IDeliveryLane OpenLane(NextHop hop) =>
        hop is NextHop.Elsewhere elsewhere ? new PlaceLane(elsewhere.Place, settings.Places) : new SmtpLane(hop, this, clock);

    /// <summary>What was learnt about exchangers and their TLS is kept where nothing of it depends on what changed.</summary>
    public void Apply(DeliveryOptions options)
    {
        pools.Apply(options);
        var old = settings;
        settings = IsAlike(old.Options, options) ? old with { Options = options } : Make(options);
        if (settings.Connector != old.Connector)
            _ = Shared.CloseAsync(forGood: false);
        places.Apply();
    }

    public Task CloseAsync() => Shared.CloseAsync(forGood: true);

    HostLook? IDeliveryTransport.LookAt(string name) => places.Look(name);

    string? IDeliveryTransport.HostOf(NextHop hop) => hop switch
    {
        NextHop.SmartHost named => named.Servers[0].Host,
        NextHop.MailExchanger(var domain) => hosts.Find(domain.Text),
        _ => null,
    };

    /// <summary>Fetches MTA-STS policies again before they run out.</summary>
    internal ValueTask RenewPoliciesAsync(CancellationToken ct) =>
        settings is { Options.Tls.UsesMtaSts: true, Connector.Policy: DomainTerms terms } ? terms.Sts.RenewAsync(ct) : default;

    private static bool IsAlike(DeliveryOptions old, DeliveryOptions changed) => old == changed with
    {
        Routes = old.Routes,
        Pools = old.Pools,
        Retry = old.Retry,
        Connections = old.Connections,
        ConnectionsTried = old.ConnectionsTried,
        MessagesAtWork = old.MessagesAtWork,
        MessagesAtWorkPerDestination = old.MessagesAtWorkPerDestination,
        Decorators = old.Decorators,
        ConnectionsPerDestination = old.ConnectionsPerDestination,
        Shaping = old.Shaping,
        MessagesPerConnection = old.MessagesPerConnection,
        FarFrom = old.FarFrom,
        Resolvers = old.Resolvers.SequenceEqual(changed.Resolvers) ? old.Resolvers : changed.Resolvers,
        AllowedMxNetworks = old.AllowedMxNetworks.SequenceEqual(changed.AllowedMxNetworks)
            ? old.AllowedMxNetworks
            : changed.AllowedMxNetworks,
    };

    private Settings Make(DeliveryOptions options)
    {
        pools.Apply(options);
        var dns = DnsCache.Of(options, clock);
        var client = new SmtpClientOptions { Hostname = options.Hostname, Timeouts = options.Timeouts, Clock = clock, Memory = memory };
        var resolver = new MxResolver(dns);
        var connector = new HopConnector(options, resolver, client, new OwnHost(options.Hostname, listeners, clock))
        {
            Counts = counts,
            Policy = new DomainTerms(options, dns, new StsPolicies(dns, new StsFetch(options, resolver, clock), policies, clock)),
            Places = places,
            Shared = Shared,
            Names = names,
            Recipients = recipients,
            Tokens = tokens,
            Pools = pools,
            Hosts = hosts,
            Current = () => Options,
        };
        return new Settings(options, connector, new PlaceContext(options.Hostname, options.CommandTime, clock));
    }

    private sealed record Settings(DeliveryOptions Options, HopConnector Connector, PlaceContext Places);
}
