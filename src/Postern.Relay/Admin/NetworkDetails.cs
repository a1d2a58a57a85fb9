namespace Postern.Relay.Admin;

/// <summary>Clients in <paramref name="Cidr"/> may send for <paramref name="Domain"/> without a password.</summary>
public sealed record NetworkDetails(string Cidr, string Domain);
