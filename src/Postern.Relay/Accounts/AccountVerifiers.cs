using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// The passwords and grants of all configured stores, as SASL mechanisms ask for them. Known, unknown and disabled users take
/// the same path through the hashing pool.
/// </summary>
public sealed partial class AccountVerifiers(IReadOnlyList<IAccountStore> stores, HashingPool pool, VerificationCache cache, TimeProvider clock, LoginProtection? protection = null)
    : IPasswordVerifier, IAuthorizationGrants
{
    private const string UnknownUser = "unknown user";

    /// <summary>What mechanisms may ask. A verifier that no store could ever answer is absent, and so is every mechanism that needs it.</summary>
    public SaslContext Context => new()
    {
        Passwords = this,
        ScramSecrets = this,
        SharedSecrets = Can(StoredForms.Shared) ? this : null,
        DigestSecrets = Can(StoredForms.Digest) ? this : null,
        Tokens = Tokens,
        Grants = this,
        Decoys = Decoys,
        AllowsAnonymous = true, // no use by itself: it is offered only where a listener names it, and permits nothing
    };

    /// <summary>Verifies bearer tokens; null where no issuer is configured.</summary>
    public ITokenVerifier? Tokens { get; init; }

    /// <summary>Where rights are looked up, and whether an account is disabled; null where there is none.</summary>
    public IDirectory? Directory { get; init; }

    /// <summary>Gives weak forms of the directory up for better ones; null where they stay.</summary>
    public FormReplacement? Replacement { get; init; }

    /// <summary>What stands in for users that do not exist.</summary>
    public Decoys Decoys { get; init; } = Decoys.ForProcess;

    /// <summary>Of these stores; <see cref="MechanismOffer.Usual"/>.</summary>
    public ImmutableArray<string> UsualMechanisms => MechanismOffer.Usual(stores.Select(static s => s.CommonForms));

    /// <summary>Logins behind a used budget are not looked at, so that they tell nothing and cost nothing.</summary>
    public async ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        if (protection is null)
            return await AnswerAsync(user, password, peer, ct);
        var turn = await protection.EnterAsync(BudgetNameOf(user), peer, ct);
        if (turn.Admission == LoginAdmission.Close)
            return new LoginAnswer.TooMany(turn.Reason);
        if (turn.Admission != LoginAdmission.Check)
            return new LoginAnswer.Unavailable(turn.Reason);
        var (outcome, secret, isUser) = (LoginOutcome.Unchecked, default(VerificationKey), false);
        try
        {
            var answer = await AnswerAsync(user, password, peer, ct);
            if (answer is LoginAnswer.NoMatch no)
                (outcome, secret, isUser) = (LoginOutcome.Wrong, await KeyOfAsync(user, password, ct), no.UserExists);
            else if (answer is LoginAnswer.Match)
                outcome = LoginOutcome.Right;
            return answer;
        }
        finally
        {
            protection.Settle(turn, outcome, secret, isUser);
        }
    }

    /// <summary>Itself in any spelling, and every account that it was granted, as long as that exists and is not disabled.</summary>
    public async ValueTask<LoginAnswer> ActAsAsync(string user, string authorizationId, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(authorizationId, out var canonical))
            return new LoginAnswer.NoMatch("it is not a name that an account can have", UserExists: false);
        if (string.Equals(canonical, user, StringComparison.Ordinal))
            return new LoginAnswer.Match(user);
        try
        {
            if (Directory is null || (await Directory.FindAccountAsync(user, ct))?.ActsAs.Contains(canonical, StringComparer.Ordinal) is not true)
                return new LoginAnswer.NoMatch($"account {user} has no grant for it", UserExists: true);
            return await IdentifyAsync(canonical, ct) switch
            {
                LoginAnswer.Match match => match with { Authority = new GrantAuthority(this, user, canonical, match.Authority) },
                var other => other,
            };
        }
        catch (DirectoryUnavailableException e)
        {
            return new LoginAnswer.Unavailable(e.Message);
        }
    }

    /// <summary>Whose budget a login is, also of a name that no account can have.</summary>
    private static string BudgetNameOf(string user) => LoginNames.TryCanonical(user, out var canonical) ? canonical : user;

    /// <summary>Which wrong password of which state of a user's credentials it was, to know it again; default where nothing was computed.</summary>
    private async ValueTask<VerificationKey> KeyOfAsync(string user, ReadOnlyMemory<byte> password, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return default;
        var (store, answer) = await FindAsync(canonical, ct);
        return answer switch
        {
            StoreAnswer.Known(var login) => cache.KeyFor(store!.Name, login, password.Span),
            StoreAnswer.Unknown(var decoy) => cache.KeyFor(store!.Name, decoy, password.Span),
            _ => default,
        };
    }

    private async ValueTask<LoginAnswer> AnswerAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new LoginAnswer.NoMatch("the user name is not one that an account can have", UserExists: false);

        var (store, answer) = await FindAsync(canonical, ct);
        switch (answer)
        {
            case StoreAnswer.Known(var login):
                return await CheckAsync(store!.Name, login, password, peer, ct);
            case StoreAnswer.Unknown(var decoy):
                var wasted = await pool.CheckAsync(cache.KeyFor(store!.Name, decoy, password.Span), decoy, password, Costs, peer, Knows(decoy.User, peer), clock.GetUtcNow(), ct);
                return wasted switch
                {
                    LoginAnswer.Busy => wasted,
                    LoginAnswer.Unavailable(var reason) => new LoginAnswer.Unavailable(Said(store, reason)),
                    _ => new LoginAnswer.NoMatch(UnknownUser, UserExists: false),
                };
            case StoreAnswer.Unavailable(var trouble):
                return new LoginAnswer.Unavailable(Said(store, trouble));
            default:
                return new LoginAnswer.Unavailable("no account store is configured");
        }
    }

    private async ValueTask<LoginAnswer> CheckAsync(string store, StoredLogin login, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        var key = cache.KeyFor(store, login, password.Span);
        if (login.Refusal is null && cache.Recall(key) is { } known)
            return new LoginAnswer.Match(login.User) { Authority = AuthorityOf(login, known) };

        var answer = await pool.CheckAsync(key, login, password, Costs, peer, Knows(login.User, peer), clock.GetUtcNow(), ct);
        switch (answer)
        {
            case LoginAnswer.Found<StoredCredential> or LoginAnswer.NoMatch when login.Refusal is { } refusal:
                return new LoginAnswer.NoMatch(refusal, UserExists: true);
            case LoginAnswer.Found<StoredCredential> { Stored: var credential }:
                cache.Remember(key, credential);
                if (store == DirectoryStore.Kind.Word)
                    Replacement?.Offer(login, credential, password.Span);
                return new LoginAnswer.Match(login.User) { Authority = AuthorityOf(login, credential) };
            case LoginAnswer.Unavailable(var reason):
                return new LoginAnswer.Unavailable($"{store}: {reason}");
            case LoginAnswer.Busy or LoginAnswer.NoMatch:
                return answer;
            default:
                return new LoginAnswer.NoMatch("the store gave no answer", UserExists: true);
        }
    }

    private static string Said(IAccountStore? store, string reason) => $"{store?.Name}: {reason}";

    /// <summary>What the costliest user of any store costs; whoever does not log in costs as much.</summary>
    private HashCosts Costs => stores.Aggregate(HashCosts.None, static (most, store) => most.Most(store.Costs));

    /// <summary>Who has logged in from there before is hashed before others.</summary>
    private bool Knows(string user, string? peer) => protection?.IsKnown(user, peer) is true;

    private bool Can(StoredForms form) => stores.Any(s => s.Forms.HasFlag(form));

    /// <summary>
    /// The first store that knows the user, or that cannot say; else the first store's decoy. An account without any credential only adds rights: the login is
    /// left to a later store, if one has it. The directory is asked for every name: where it cannot answer, nobody is told anything else.
    /// </summary>
    private async ValueTask<(IAccountStore? Store, StoreAnswer? Answer)> FindAsync(string user, CancellationToken ct)
    {
        (IAccountStore?, StoreAnswer?) first = default;
        (IAccountStore?, StoreAnswer?) rights = default;
        for (var i = 0; i < stores.Count; i++) // an enumerator would be one more object for every message
        {
            var store = stores[i];
            var answer = await store.FindAsync(user, ct);
            if (answer is StoreAnswer.Known({ LeavesLogin: true }))
            {
                rights = rights.Item2 is null ? (store, answer) : rights;
                continue;
            }

            if (answer is StoreAnswer.Known(var login))
                return (store, await JudgeAsync(answer, login.User, ct));
            if (answer is not StoreAnswer.Unknown)
                return (store, answer);
            if (first.Item2 is null)
                first = (store, answer);
        }

        if (rights.Item2 is not null)
            return rights;
        return first.Item2 is { } nobody ? (first.Item1, await JudgeAsync(nobody, user, ct)) : first;
    }

    /// <summary>An account that was disabled in the directory is disabled wherever its password is kept.</summary>
    private async ValueTask<StoreAnswer> JudgeAsync(StoreAnswer answer, string user, CancellationToken ct)
    {
        try
        {
            return Directory is not null && await Directory.FindAccountAsync(user, ct) is { Enabled: false } && answer is StoreAnswer.Known({ IsDisabled: false } login)
                ? new StoreAnswer.Known(new StoredLogin(login.User, StoredLogin.Disabled, login.Credentials) { IsDisabled = true })
                : answer;
        }
        catch (DirectoryUnavailableException e)
        {
            return new StoreAnswer.Unavailable(e.Message);
        }
    }
}
