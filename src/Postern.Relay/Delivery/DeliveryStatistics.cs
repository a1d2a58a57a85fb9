using System.Collections.Immutable;

namespace Postern.Relay.Delivery;

/// <summary>What the scheduler has before it at one moment.</summary>
/// <param name="Waiting">Messages whose next attempt is in the future.</param>
/// <param name="Active">Messages in delivery or next in line.</param>
/// <param name="Held">Messages that an operator or the server holds.</param>
/// <param name="Parked">Messages that no route is configured for.</param>
/// <param name="HeldByServer">Those of the held ones that the server holds, as attempts failed here again and again.</param>
public sealed record DeliveryStatistics(int Waiting, int Active, int Held, int Parked, int HeldByServer, ImmutableArray<DestinationStatistics> Destinations);

/// <summary>One destination in use.</summary>
/// <param name="Waiting">Transactions that wait for a connection.</param>
/// <param name="Connections">Connections open or being opened.</param>
public sealed record DestinationStatistics(string Name, int Waiting, int Connections);
