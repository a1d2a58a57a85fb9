using System.Net;
using Postern.Relay.Delivery.Dns;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>Delivery by SMTP, to a named host or to the mail exchangers of a domain.</summary>
public sealed class SmtpDelivery : IDeliveryTransport
{
    private readonly DeliveryOptions options;
    private readonly HopConnector connector;
    private readonly TimeProvider clock;

    /// <param name="listeners">Where this server listens, now; null where it does not.</param>
    public SmtpDelivery(DeliveryOptions options, TimeProvider clock, Func<IReadOnlyList<IPEndPoint>>? listeners = null)
    {
        (this.options, this.clock) = (options, clock);
        var resolver = new MxResolver(new ResolverList(options.Resolvers, options.ResolversValidate, ResolvConf.Path, clock), options.ResolverTimeout, clock);
        var client = new SmtpClientOptions { Hostname = options.Hostname, Timeouts = options.Timeouts, Clock = clock };
        connector = new HopConnector(options, resolver, client, new OwnHost(options.Hostname, listeners ?? (static () => []), clock));
    }

    public IDeliveryLane OpenLane(NextHop hop) => new SmtpLane(hop, connector, options, clock);
}
