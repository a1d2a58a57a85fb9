using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.OAuth;

namespace Postern.Relay.Runtime;

/// <summary>Who can log in, and how it is checked.</summary>
public sealed record AccountOptions
{
    /// <summary>The stores, in the order in which they are asked; each good in the eyes of <see cref="Accounts.Stores.AccountStores.WhyNot"/>.</summary>
    public ImmutableArray<AccountSource> Sources { get; init; } = [new AccountSource("directory", "localhost")];

    /// <summary>Whose bearer tokens are believed.</summary>
    public ImmutableArray<TokenIssuer> Issuers { get; init; } = [];

    /// <summary>What checking passwords may cost.</summary>
    public HashingPoolOptions Hashing { get; init; } = new();
}
