using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Certificates;
using Postern.Relay.Accounts.Kerberos;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;

namespace Postern.Relay.Runtime;

/// <summary>
/// All that the configuration says of users, put together: the stores in their order, the issuers of tokens, and whose certificates and
/// tickets are logins; and of all this, whom each listener knows.
/// </summary>
public sealed class RelayAccounts : IDisposable
{
    private readonly HttpClient http = GuardedFetch.Create();
    private readonly AccountOptions options;
    private readonly AccountFoundation foundation;
    private readonly TokenVerifier? tokens;
    private readonly Decoys decoys;
    private readonly (string Uri, IAccountStore Store)[] stores;
    private readonly ListenerAccounts all;
    private readonly FrozenDictionary<string, ListenerAccounts> byListener;
    private RelayAccounts? successor;

    /// <param name="foundation">Stays the caller's.</param>
    /// <param name="listeners">The names of those that there are; a listener by another name knows everybody.</param>
    public RelayAccounts(AccountOptions options, AccountFoundation foundation, IEnumerable<string>? listeners = null)
    {
        this.options = options;
        this.foundation = foundation;
        var (directory, clock) = (foundation.Directory, foundation.Clock);
        decoys = AccountStores.DecoysFor(directory.DecoyKey.Span, options.Sources);
        var context = new StoreContext(directory, decoys, foundation.Audit, clock)
        {
            Hostname = options.Hostname,
            Health = foundation.Health,
        };
        stores = [.. options.Sources.Select(source => (source.Uri, AccountStores.Open(context, source)))];
        tokens = options.Issuers.IsEmpty ? null : new TokenVerifier(
            options.Issuers, static (_, _) => new(StoredLogin.Nobody), http, clock, () => Newest.options.Issuers);
        all = Make(listener: null, static _ => true);
        // One each, also where they ask the same: what a session asks once its configuration is gone is what its own listener asks then.
        byListener = (listeners ?? []).Distinct(StringComparer.OrdinalIgnoreCase).ToFrozenDictionary(
            static name => name,
            name => options.StoresByListener.GetValueOrDefault(name) is { IsDefault: false } asked
                ? Make(name, uri => asked.Contains(uri, StringComparer.Ordinal))
                : Make(name, static _ => true),
            StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The accounts of all stores, as policies ask for them.</summary>
    public IDirectory Directory => all.Directory;

    /// <summary>What all stores answer.</summary>
    public AccountVerifiers Verifiers => all.Verifiers;

    /// <summary>What mechanisms may ask of all stores.</summary>
    public SaslContext Context => all.Context;

    /// <summary>Which account a client certificate is; null where it is nobody's login.</summary>
    public IClientCertificateUsers? Certificates => all.Certificates;

    /// <summary>How each store answers now, in their order.</summary>
    public ImmutableArray<StoreCondition> Conditions => [.. stores.Select(static s => AccountStores.ConditionOf(s.Store))];

    /// <summary>The kinds of the stores that do not answer now, by what they have said to those who asked; asks nothing.</summary>
    internal IEnumerable<string> KindsDown =>
        stores.Where(static s => BoundedStore.Around(s.Store) is { Condition.DownSince: not null })
            .Select(static s => s.Uri.Split(':', 2)[0]).Distinct(StringComparer.Ordinal);

    /// <summary>
    /// Asks each store as a login would, all at a time: how long that took, and what is wrong where it cannot answer. In their order.
    /// </summary>
    public async ValueTask<ImmutableArray<(string Uri, string? Trouble, TimeSpan Took)>> ProbeAsync(CancellationToken ct) =>
        [.. await Task.WhenAll(stores.Select(s => ProbeAsync(s.Uri, s.Store, ct)))];

    /// <summary>Some store answers mechanisms itself.</summary>
    internal bool HasOwnMechanisms => stores.Any(static s => s.Store.OwnMechanisms is not null);

    /// <summary>Stores that answer mechanisms themselves find out which, in the background, where that is not known.</summary>
    internal void Look()
    {
        foreach (var (_, store) in stores)
            store.OwnMechanisms?.Look();
    }

    /// <summary>
    /// Asks stores that answer mechanisms themselves which those are, so that all of them stand in what is offered; one that does not say
    /// has none.
    /// </summary>
    public async ValueTask LearnAsync(CancellationToken ct) =>
        await Task.WhenAll(
            stores.Select(static s => s.Store.OwnMechanisms).OfType<IMechanismStore>().Select(own => own.LearnAsync(ct).AsTask()));

    private async Task<(string Uri, string? Trouble, TimeSpan Took)> ProbeAsync(string uri, IAccountStore store, CancellationToken ct)
    {
        var begun = foundation.Clock.GetTimestamp();
        var trouble = await store.ProbeAsync(ct);
        return (uri, trouble, foundation.Clock.GetElapsedTime(begun));
    }

    /// <summary>Whom a listener knows.</summary>
    public ListenerAccounts On(string listener) => byListener.GetValueOrDefault(listener) ?? all;

    /// <summary>
    /// Another configuration has taken the place of this one: whether a login still holds is asked there, of what its listener asks there.
    /// </summary>
    internal void FollowedBy(RelayAccounts next)
    {
        Volatile.Write(ref successor, next);
        all.Verifiers.Stores.FollowedBy(next.Verifiers.Stores);
        foreach (var (listener, accounts) in byListener)
            accounts.Verifiers.Stores.FollowedBy(next.On(listener).Verifiers.Stores);
    }

    /// <summary>The stores end their connections: sessions that still rest on them are told that nothing can be said.</summary>
    public void Dispose()
    {
        foreach (var (_, store) in stores)
            store.Dispose();
        tokens?.Dispose();
        http.Dispose();
    }

    /// <summary>What is configured now.</summary>
    private RelayAccounts Newest
    {
        get
        {
            var newest = this;
            while (Volatile.Read(ref newest.successor) is { } next)
                newest = next;
            return newest;
        }
    }

    private ListenerAccounts Make(string? listener, Func<string, bool> isAsked)
    {
        var clock = foundation.Clock;
        AccountVerifiers? verifiers = null;
        IAccountStore[] asked = [.. stores.Where(s => isAsked(s.Uri)).Select(static s => s.Store)];
        var replaces = options.Sources.Any(source => isAsked(source.Uri) && AccountStores.ReplacesWeakForms(source));
        verifiers = new AccountVerifiers(asked, foundation.Hashing, foundation.Memory, clock, foundation.Protection)
        {
            Directory = foundation.Directory,
            Decoys = decoys,
            Listener = listener,
            Replacement = replaces ? foundation.Replacement : null,
            Uses = foundation.Uses,
            Tokens = tokens is null
                ? null
                : new ProtectedTokens(tokens.With((user, ct) => SpeaksForAsync(verifiers!, user, ct)), foundation.Protection, clock),
        };
        var context = options.Kerberos is { } kerberos
            ? verifiers.Context with
            {
                Kerberos = kerberos.Service,
                KerberosUsers = new PrincipalUsers(kerberos.Realms, kerberos.Account, verifiers, () => Newest.options.Kerberos),
            }
            : verifiers.Context;
        var certificates = options.Certificates is { } rules
            ? new CertificateUsers(rules, verifiers, clock, () => Newest.options.Certificates)
            : null;
        return new ListenerAccounts(verifiers, context, certificates);
    }

    private static async ValueTask<LoginAnswer> SpeaksForAsync(AccountVerifiers verifiers, string user, CancellationToken ct)
    {
        var answer = await verifiers.IdentifyAsync(user, ct);
        return answer is LoginAnswer.NoMatch(var reason, var exists)
            ? new LoginAnswer.NoMatch($"the token is good, but its user may not log in: {reason}", exists) { ClaimedUser = user }
            : answer;
    }
}

/// <summary>Whom one listener knows: the stores it asks, and what follows from them.</summary>
/// <param name="Verifiers">What those stores answer.</param>
/// <param name="Context">What mechanisms may ask there.</param>
/// <param name="Certificates">Which account a client certificate is there; null where it is nobody's login.</param>
public sealed record ListenerAccounts(AccountVerifiers Verifiers, SaslContext Context, IClientCertificateUsers? Certificates)
{
    /// <summary>Its accounts, as policies ask for them.</summary>
    public IDirectory Directory => Verifiers.Accounts!;
}
