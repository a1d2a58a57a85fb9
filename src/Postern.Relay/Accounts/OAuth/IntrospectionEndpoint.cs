using Postern.Sasl;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>Where an issuer tells whether a token is good (RFC 7662), and how this server shows who it is there.</summary>
public sealed record IntrospectionEndpoint(Uri Address, string ClientId, Secret ClientSecret);
