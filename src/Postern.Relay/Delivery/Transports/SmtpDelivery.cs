using System.Net;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Places;
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
    private volatile Settings settings;

    /// <param name="listeners">Where this server listens, now; null where it does not.</param>
    public SmtpDelivery(DeliveryOptions options, TimeProvider clock, Func<IReadOnlyList<IPEndPoint>>? listeners = null)
    {
        (this.listeners, this.clock) = (listeners ?? (static () => []), clock);
        (places, names, recipients) = (new HostPlaces(clock), new SystemNames(clock), new RecipientLimits(clock));
        settings = Make(options);
    }

    public Action<string, string>? Tell
    {
        set => places.Tell = value;
    }

    /// <summary>What counts for the next connection.</summary>
    internal HopConnector Connector => settings.Connector;

    internal DeliveryOptions Options => settings.Options;

    public IDeliveryLane OpenLane(NextHop hop) =>
        hop is NextHop.Elsewhere elsewhere ? new PlaceLane(elsewhere.Place, settings.Places) : new SmtpLane(hop, this, clock);

    /// <summary>What was learnt about exchangers and their TLS is kept where nothing of it depends on what changed.</summary>
    public void Apply(DeliveryOptions options)
    {
        var old = settings;
        settings = IsAlike(old.Options, options) ? old with { Options = options } : Make(options);
    }

    private static bool IsAlike(DeliveryOptions old, DeliveryOptions changed) => old == changed with
    {
        Routes = old.Routes,
        Retry = old.Retry,
        Connections = old.Connections,
        ConnectionsTried = old.ConnectionsTried,
        MessagesAtWork = old.MessagesAtWork,
        MessagesAtWorkPerDestination = old.MessagesAtWorkPerDestination,
        Decorators = old.Decorators,
        ConnectionsPerDestination = old.ConnectionsPerDestination,
        MessagesPerConnection = old.MessagesPerConnection,
        Resolvers = old.Resolvers.SequenceEqual(changed.Resolvers) ? old.Resolvers : changed.Resolvers,
        AllowedMxNetworks = old.AllowedMxNetworks.SequenceEqual(changed.AllowedMxNetworks)
            ? old.AllowedMxNetworks
            : changed.AllowedMxNetworks,
    };

    private Settings Make(DeliveryOptions options)
    {
        var dns = DnsCache.Of(options, clock);
        var client = new SmtpClientOptions { Hostname = options.Hostname, Timeouts = options.Timeouts, Clock = clock };
        var connector = new HopConnector(options, new MxResolver(dns), client, new OwnHost(options.Hostname, listeners, clock))
        {
            Policy = new DomainTerms(options, dns),
            Places = places,
            Names = names,
            Recipients = recipients,
        };
        return new Settings(options, connector, new PlaceContext(options.Hostname, options.CommandTime, clock));
    }

    private sealed record Settings(DeliveryOptions Options, HopConnector Connector, PlaceContext Places);
}
