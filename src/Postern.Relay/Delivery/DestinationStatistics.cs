namespace Postern.Relay.Delivery;

/// <summary>One destination in use.</summary>
/// <param name="Waiting">Transactions that wait for a connection.</param>
/// <param name="Connections">Connections open or being opened.</param>
public sealed record DestinationStatistics(string Name, int Waiting, int Connections);
