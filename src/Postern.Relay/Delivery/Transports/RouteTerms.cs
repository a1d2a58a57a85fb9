namespace Postern.Relay.Delivery.Transports;

/// <summary>As the route says for a host that it names; any certificate or none for mail exchangers (RFC 7435), whose names come from DNS without proof.</summary>
internal sealed class RouteTerms : IHopPolicy
{
    public static RouteTerms Instance { get; } = new();

    public ValueTask<HopTerms> TermsForAsync(NextHop hop, Exchanger host, bool isAuthentic, CancellationToken ct) =>
        new(hop is NextHop.SmartHost named ? HopTerms.Of(named, named.Servers[host.Preference]) : HopTerms.Strangers);
}
