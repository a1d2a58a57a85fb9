using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>A new identity.</summary>
/// <param name="Name">The login name, in any spelling.</param>
/// <param name="Addresses">It may send as these; empty means the name itself, where it is an address.</param>
/// <param name="Domains">It may send as any address of these.</param>
public sealed record AddAccount(string Name, ImmutableArray<string> Addresses, ImmutableArray<string> Domains);

/// <summary>Addresses and domains that an account may, or may no longer, send as; and accounts as which it may act.</summary>
public sealed record ChangeGrants(string Account, ImmutableArray<string> Addresses, ImmutableArray<string> Domains)
{
    /// <summary>Names of accounts, in any spelling, kept in whatever store (RFC 4422 §3.4.1).</summary>
    public ImmutableArray<string> ActsAs { get; init; } = [];
}
