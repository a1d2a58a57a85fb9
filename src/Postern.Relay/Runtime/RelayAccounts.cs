using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Certificates;
using Postern.Relay.Accounts.Kerberos;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;

namespace Postern.Relay.Runtime;

/// <summary>All that knows users, put together: the directory, the stores beside it, the threads that hash, the issuers of tokens.</summary>
public sealed class RelayAccounts : IDisposable
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(1);

    private readonly HttpClient http = GuardedFetch.Create();
    private readonly TokenVerifier? tokens;
    private readonly FormReplacement? replacement;
    private readonly ITimer? saving;
    private readonly Action? save;

    /// <param name="directory">Stays the caller's.</param>
    /// <param name="protectionFile">Where the login protection is kept, once a minute and at the end; null for nowhere.</param>
    /// <param name="isServer">Logins are real: weak stored forms are replaced.</param>
    public RelayAccounts(AccountOptions options, SqliteDirectory directory, IAuditLog audit, TimeProvider clock, string? protectionFile = null, bool isServer = false)
    {
        var decoys = AccountStores.DecoysFor(directory.DecoyKey.Span, options.Sources);
        var context = new StoreContext(directory, decoys, audit, clock);
        IAccountStore[] stores = [.. options.Sources.Select(source => AccountStores.Open(context, source))];
        Hashing = new HashingPool(options.Hashing, clock);
        Directory = new StoreAccounts(directory, stores);
        tokens = options.Issuers.IsEmpty ? null : new TokenVerifier(options.Issuers, SpeaksForAsync, http, clock);
        Protection = new LoginProtection(options.Protection, audit, clock, directory.DecoyKey.Span);
        if (protectionFile is not null)
        {
            Protection.Load(protectionFile);
            save = () => Protection.Save(protectionFile);
            saving = clock.CreateTimer(_ => save(), state: null, SaveEvery, SaveEvery);
        }

        if (isServer && options.Sources.Any(static s => s is { KeepsWeakForms: false } && AccountStores.Of(s)?.Word == "directory"))
            replacement = new FormReplacement(directory, audit, clock);
        Verifiers = new AccountVerifiers(stores, Hashing, new VerificationCache(clock), clock, Protection)
        {
            Directory = Directory,
            Decoys = decoys,
            Replacement = replacement,
            Tokens = tokens is null ? null : new ProtectedTokens(tokens, Protection, clock),
        };
        Context = options.Kerberos is { } kerberos
            ? Verifiers.Context with { Kerberos = kerberos.Service, KerberosUsers = new PrincipalUsers(kerberos.Realms, kerberos.Account, Verifiers) }
            : Verifiers.Context;
        Certificates = options.Certificates is { } certificates ? new CertificateUsers(certificates, Verifiers, clock) : null;
    }

    /// <summary>The accounts of all stores, as policies ask for them.</summary>
    public IDirectory Directory { get; }

    /// <summary>What the stores answer.</summary>
    public AccountVerifiers Verifiers { get; }

    /// <summary>What mechanisms may ask.</summary>
    public SaslContext Context { get; }

    /// <summary>Which account a client certificate is; null where it is nobody's login.</summary>
    public IClientCertificateUsers? Certificates { get; }

    /// <summary>How many guesses are checked.</summary>
    public LoginProtection Protection { get; }

    /// <summary>Where passwords are checked.</summary>
    public HashingPool Hashing { get; }

    /// <summary>Attempts under way are answered that they cannot be checked.</summary>
    public void Dispose()
    {
        Hashing.Dispose();
        replacement?.Dispose();
        saving?.Dispose();
        save?.Invoke();
        tokens?.Dispose();
        http.Dispose();
    }

    private async ValueTask<LoginAnswer> SpeaksForAsync(string user, CancellationToken ct) => await Verifiers.IdentifyAsync(user, ct) switch
    {
        LoginAnswer.NoMatch(var reason, var exists) => new LoginAnswer.NoMatch($"the token is good, but its user may not log in: {reason}", exists) { ClaimedUser = user },
        var other => other,
    };
}
