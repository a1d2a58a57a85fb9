namespace Postern.Relay.Policy;

/// <summary>What a message says about itself in its header section, as it came: nothing in it is proven.</summary>
/// <param name="From">The field From, without line ends; null where there is none.</param>
/// <param name="Hops">How many Received fields it has.</param>
public sealed record HeaderFacts(string? From, string? MessageId, int Hops);
