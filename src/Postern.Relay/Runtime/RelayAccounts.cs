using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Certificates;
using Postern.Relay.Accounts.Kerberos;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;

namespace Postern.Relay.Runtime;

/// <summary>
/// All that the configuration says of users, put together: the stores in their order, the issuers of tokens, and whose certificates and
/// tickets are logins.
/// </summary>
public sealed class RelayAccounts : IDisposable
{
    private readonly HttpClient http = GuardedFetch.Create();
    private readonly TokenVerifier? tokens;

    /// <param name="foundation">Stays the caller's.</param>
    public RelayAccounts(AccountOptions options, AccountFoundation foundation)
    {
        var (directory, clock) = (foundation.Directory, foundation.Clock);
        var decoys = AccountStores.DecoysFor(directory.DecoyKey.Span, options.Sources);
        var context = new StoreContext(directory, decoys, foundation.Audit, clock);
        IAccountStore[] stores = [.. options.Sources.Select(source => AccountStores.Open(context, source))];
        tokens = options.Issuers.IsEmpty ? null : new TokenVerifier(options.Issuers, SpeaksForAsync, http, clock);
        Verifiers = new AccountVerifiers(stores, foundation.Hashing, foundation.Memory, clock, foundation.Protection)
        {
            Directory = directory,
            Decoys = decoys,
            Replacement = options.Sources.Any(AccountStores.ReplacesWeakForms) ? foundation.Replacement : null,
            Tokens = tokens is null ? null : new ProtectedTokens(tokens, foundation.Protection, clock),
        };
        Context = options.Kerberos is { } kerberos
            ? Verifiers.Context with { Kerberos = kerberos.Service, KerberosUsers = new PrincipalUsers(kerberos.Realms, kerberos.Account, Verifiers) }
            : Verifiers.Context;
        Certificates = options.Certificates is { } certificates ? new CertificateUsers(certificates, Verifiers, clock) : null;
    }

    /// <summary>The accounts of all stores, as policies ask for them.</summary>
    public IDirectory Directory => Verifiers.Accounts!;

    /// <summary>What the stores answer.</summary>
    public AccountVerifiers Verifiers { get; }

    /// <summary>What mechanisms may ask.</summary>
    public SaslContext Context { get; }

    /// <summary>Which account a client certificate is; null where it is nobody's login.</summary>
    public IClientCertificateUsers? Certificates { get; }

    /// <summary>The stores end their connections: sessions that still rest on them are told that nothing can be said.</summary>
    public void Dispose()
    {
        Verifiers.Stores.Dispose();
        tokens?.Dispose();
        http.Dispose();
    }

    private async ValueTask<LoginAnswer> SpeaksForAsync(string user, CancellationToken ct) => await Verifiers.IdentifyAsync(user, ct) switch
    {
        LoginAnswer.NoMatch(var reason, var exists) => new LoginAnswer.NoMatch($"the token is good, but its user may not log in: {reason}", exists) { ClaimedUser = user },
        var other => other,
    };
}
