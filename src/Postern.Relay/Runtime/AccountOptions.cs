using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Certificates;
using Postern.Relay.Accounts.Kerberos;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Accounts.Protection;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Runtime;

/// <summary>Who can log in, and how it is checked.</summary>
public sealed record AccountOptions
{
    /// <summary>
    /// The stores, in the order in which they are asked; each good in the eyes of <see cref="Accounts.Stores.AccountStores.WhyNot"/>.
    /// </summary>
    public ImmutableArray<AccountSource> Sources { get; init; } = [new AccountSource("directory", "localhost")];

    /// <summary>
    /// The stores that a listener asks, by its name, each by the <see cref="AccountSource.Uri"/> of its source; in the order of the
    /// sources. A listener that is not here asks all.
    /// </summary>
    public IReadOnlyDictionary<string, ImmutableArray<string>> StoresByListener { get; init; } =
        ImmutableDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>The same with one store alone, which every listener asks.</summary>
    public AccountOptions Only(AccountSource source) =>
        this with { Sources = [source], StoresByListener = ImmutableDictionary<string, ImmutableArray<string>>.Empty };

    /// <summary>What this server calls itself where a store asks others; null where nobody has said.</summary>
    public Domain? Hostname { get; init; }

    /// <summary>Whose bearer tokens are believed.</summary>
    public ImmutableArray<TokenIssuer> Issuers { get; init; } = [];

    /// <summary>Null: a client certificate is nobody's login.</summary>
    public CertificateRules? Certificates { get; init; }

    /// <summary>Null: no Kerberos.</summary>
    public KerberosRules? Kerberos { get; init; }

    /// <summary>What checking passwords may cost.</summary>
    public HashingPoolOptions Hashing { get; init; } = new();

    /// <summary>How many guesses are checked.</summary>
    public LoginProtectionOptions Protection { get; init; } = new();
}
