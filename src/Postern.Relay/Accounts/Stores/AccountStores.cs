using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Accounts.Stores.Dovecot;
using Postern.Relay.Accounts.Stores.Ldap;
using Postern.Relay.Accounts.Stores.Pam;
using Postern.Relay.Accounts.Stores.Sql;
using Postern.Relay.Accounts.Stores.Upstream;
using Postern.Relay.Accounts.Stores.Vault;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Relay.Audit;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores;

/// <summary>Every kind of account store, by its word in the configuration.</summary>
public static class AccountStores
{
    public static ImmutableArray<AccountStoreKind> All { get; } =
    [
        DirectoryStore.Kind,
        FileStore.Kind,
        DigestStore.Kind,
        UsersStore.Kind,
        SqliteStore.Kind,
        PostgresStore.Kind,
        MySqlStore.Kind,
        DovecotStore.Kind,
        PamStore.Kind,
        SmtpStore.Kind,
        SmtpStore.SecureKind,
        HttpStore.Kind,
        HttpStore.ClearKind,
        VaultStore.Kind,
        LdapStore.Kind,
        LdapStore.SecureKind,
        LdapStore.LocalKind,
    ];

    /// <summary>The kind of an entry; null for none.</summary>
    public static AccountStoreKind? Of(AccountSource source) =>
        All.FirstOrDefault(k => string.Equals(k.Word, WordOf(source.Uri), StringComparison.OrdinalIgnoreCase));

    /// <summary>What is wrong with an entry, or null.</summary>
    public static string? WhyNot(AccountSource source) => Of(source) is { } kind
        ? kind.WhyNot(source)
        : $"there is no store '{WordOf(source.Uri)}'{NearestName.Hint(WordOf(source.Uri), All.Select(static k => k.Word))}; "
            + $"there are {string.Join(", ", All.Select(static k => k.Example))}";

    /// <exception cref="ArgumentException"><see cref="WhyNot"/> has something to say.</exception>
    public static IAccountStore Open(StoreContext context, AccountSource source) =>
        WhyNot(source) is { } problem
            ? throw new ArgumentException(problem, nameof(source))
            : Routed(
                Bound(Of(source)!.Open(context, source), source.Terms, context.Clock, context.Health.Of(source.Uri)), source.Logins);

    /// <summary>The store as it may be asked: one that has to ask somebody else does so within <paramref name="terms"/>.</summary>
    /// <param name="health">Hears how it answers; null for nobody.</param>
    public static IAccountStore Bound(IAccountStore store, StoreTerms terms, TimeProvider clock, StoreHealth? health = null) =>
        store.AnswersFromMemory
            ? store
            : new BoundedStore(store, terms, health ?? new StoreHealth(store.Name, NoAuditLog.Instance, clock), clock);

    /// <summary>The store as it is asked by logins of these names alone; itself where it is asked by all.</summary>
    public static IAccountStore Routed(IAccountStore store, LoginPatterns? logins) =>
        logins is null ? store : new RoutedStore(store, logins);

    /// <summary>How it answers now. Asks nobody over a network.</summary>
    public static StoreCondition ConditionOf(IAccountStore store)
    {
        var logins = (store as RoutedStore)?.Logins.ToString();
        if (BoundedStore.Around(store) is { } bounded)
            return bounded.Condition with { Logins = logins, Mechanisms = store.OwnMechanisms?.Offered ?? [] };
        var asked = store.ProbeAsync(CancellationToken.None).AsTask();
        return new StoreCondition(store.Name)
        {
            AnswersFromMemory = true,
            Failure = asked is { IsCompletedSuccessfully: true, Result: { } trouble } ? trouble : null,
            Logins = logins,
        };
    }

    /// <summary>
    /// What stands in for users that do not exist. Counts of iterations are those that the directory's commands make, where it is among the
    /// stores; secrets that are derived from readable passwords have the first.
    /// </summary>
    /// <param name="key">Kept over restarts (<see cref="SqliteDirectory.DecoyKey"/>).</param>
    public static Decoys DecoysFor(ReadOnlySpan<byte> key, IEnumerable<AccountSource> sources) =>
        new(
            key,
            sources.Any(static s => Of(s) == DirectoryStore.Kind)
                ? [ScramHash.GeneratedIterations, ScramHash.TypedIterations]
                : [ScramHash.GeneratedIterations]);

    /// <summary>Logins by this mechanism may be passed on to it, as far as can be seen before it is asked.</summary>
    /// <param name="isAlone">No other store is asked there.</param>
    public static bool PassesOn(AccountSource source, string mechanism, bool isAlone) =>
        source is DovecotSource dovecot && dovecot.PassesOn(mechanism, isAlone);

    /// <summary>Weak stored forms there are given up for better ones when their users log in.</summary>
    public static bool ReplacesWeakForms(AccountSource source) => DirectoryStore.ReplacesWeakForms(source);

    private static string WordOf(string uri) => uri.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? uri[..colon] : uri;
}
