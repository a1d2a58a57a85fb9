using System.Collections.Concurrent;

namespace Postern.Relay.Policy.Services;

/// <summary>The services that the rules of one configuration ask, and the connections to them. Whoever made it disposes it.</summary>
internal sealed class PolicyServices(TimeProvider clock) : IDisposable
{
    private readonly ConcurrentDictionary<string, PolicyService> byPlace = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<HttpPlace, HttpPolicyService> byAddress = [];

    /// <summary>What servers say of recipients; null where none can be asked.</summary>
    public VerifiedRecipients? Recipients { get; init; }

    /// <summary>Rules that name one place ask one service.</summary>
    public PolicyService At(PolicyPlace place) =>
        byPlace.GetOrAdd(place.Text, static (_, its) => new PolicyService(its.place, its.clock), (place, clock));

    /// <summary>Rules that ask one address with the same files ask one service.</summary>
    public HttpPolicyService At(HttpPlace place) => byAddress.GetOrAdd(place, static (at, time) => new HttpPolicyService(at, time), clock);

    public void Dispose()
    {
        foreach (var service in byPlace.Values)
            service.Dispose();
        foreach (var service in byAddress.Values)
            service.Dispose();
    }
}
