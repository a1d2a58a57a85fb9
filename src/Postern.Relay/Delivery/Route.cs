namespace Postern.Relay.Delivery;

/// <summary>One line of the routes as an operator writes it.</summary>
/// <param name="To"><c>*</c>, a domain, or <c>.domain</c> for all domains below it.</param>
/// <param name="Via"><c>mx</c>, <c>smtp://host[:port][?tls=none|opportunistic|required]</c> or <c>smtps://host[:port]</c>.</param>
public sealed record Route(string To, string Via);
