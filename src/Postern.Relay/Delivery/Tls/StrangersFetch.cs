using System.Net;
using Postern.Relay.Accounts.OAuth;

namespace Postern.Relay.Delivery.Tls;

/// <summary>HTTPS to a server that a stranger named, in DNS: only at addresses that mail may be sent to.</summary>
internal static class StrangersFetch
{
    public static HttpClient Create(DeliveryOptions options, MxResolver resolver, int mostOctets) => GuardedFetch.Create(new FetchRules
    {
        LookUp = (host, ct) => LookUpAsync(resolver, host, ct),
        WhyNot = new AddressGuard(options.AllowedMxNetworks).WhyNot,
        OperatorNamesIt = false,
        // RFC 8461 §3.3.
        NeedsDnsName = true,
        MostOctets = mostOctets,
        Roots = options.TrustedRoots,
    });

    private static async Task<IPAddress[]> LookUpAsync(MxResolver resolver, string host, CancellationToken ct) =>
        await resolver.FindAddressesAsync(host, ct).ConfigureAwait(false) switch
        {
            AddressAnswer.Found(var addresses) => [.. addresses],
            AddressAnswer.None(var reason) => throw new IOException(reason),
            AddressAnswer.Unavailable(var reason) => throw new IOException(reason),
            _ => [],
        };
}
