namespace Postern.Relay.Delivery;

/// <summary>What one attempt came to.</summary>
/// <param name="Outcomes">One for each recipient of the message, in order.</param>
/// <param name="Reached">False when no host of the next hop could be spoken to: other messages would fare the same.</param>
public readonly record struct DeliveryReport(IReadOnlyList<Outcome> Outcomes, bool Reached);
