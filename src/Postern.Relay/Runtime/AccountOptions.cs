using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Certificates;
using Postern.Relay.Accounts.Kerberos;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Accounts.Protection;

namespace Postern.Relay.Runtime;

/// <summary>Who can log in, and how it is checked.</summary>
public sealed record AccountOptions
{
    /// <summary>
    /// The stores, in the order in which they are asked; each good in the eyes of <see cref="Accounts.Stores.AccountStores.WhyNot"/>.
    /// </summary>
    public ImmutableArray<AccountSource> Sources { get; init; } = [new AccountSource("directory", "localhost")];

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
