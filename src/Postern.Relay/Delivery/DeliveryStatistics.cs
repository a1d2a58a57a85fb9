using System.Collections.Immutable;

namespace Postern.Relay.Delivery;

/// <summary>What the scheduler has before it at one moment.</summary>
/// <param name="Waiting">Messages whose next attempt is in the future.</param>
/// <param name="Active">Messages in delivery or next in line.</param>
/// <param name="Held">Messages an operator holds.</param>
/// <param name="Parked">Messages that no route is configured for.</param>
public sealed record DeliveryStatistics(int Waiting, int Active, int Held, int Parked, ImmutableArray<DestinationStatistics> Destinations);
