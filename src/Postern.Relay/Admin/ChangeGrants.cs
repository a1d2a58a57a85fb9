using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>Addresses and domains that an account may, or may no longer, send as.</summary>
public sealed record ChangeGrants(string Account, ImmutableArray<string> Addresses, ImmutableArray<string> Domains);
