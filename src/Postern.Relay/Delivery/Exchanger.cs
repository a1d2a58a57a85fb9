namespace Postern.Relay.Delivery;

/// <summary>One host that takes mail for a domain; the lower the preference, the sooner it is asked (RFC 5321 §5.1).</summary>
internal readonly record struct Exchanger(string Name, int Preference);
