using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>A domain as an operator sees it.</summary>
/// <param name="Accepts">Its recipients are accepted from anyone.</param>
/// <param name="Networks">Clients in these may send for it without a password.</param>
public sealed record DomainDetails(string Name, bool Accepts, ImmutableArray<string> Networks);
