using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// The configured stores in their order, and the one search through them. An account of the directory without any credential only adds
/// rights: the login is left to a store that has it. What the directory has disabled is disabled everywhere, so it is asked for every name.
/// </summary>
/// <param name="directory">Says who is disabled, whether or not it is among the stores; null where there is none.</param>
public sealed class StoreChain(IReadOnlyList<IAccountStore> stores, IDirectory? directory) : IDisposable
{
    private readonly bool remembersOld = stores.Any(static s => BoundedStore.Around(s) is { Terms.StaleOnOutage.Ticks: > 0 });
    private StoreChain? successor;

    public IReadOnlyList<IAccountStore> Stores => stores;

    /// <summary>
    /// The stores that are configured now. Whether a login still holds is asked of these, whatever it was proven by: who is known to no
    /// store of theirs has lost it.
    /// </summary>
    public StoreChain Newest
    {
        get
        {
            var newest = this;
            while (Volatile.Read(ref newest.successor) is { } next)
                newest = next;
            if (newest != this)
                Volatile.Write(ref successor, newest);
            return newest;
        }
    }

    /// <summary>Another configuration has taken the place of this one.</summary>
    internal void FollowedBy(StoreChain next) => Volatile.Write(ref successor, next);

    /// <summary>What the costliest user of any store costs; whoever does not log in costs as much.</summary>
    public HashCosts Costs => stores.Aggregate(HashCosts.None, static (most, store) => most.Most(store.Costs));

    /// <summary>The realms for which DIGEST-MD5 secrets are kept, in the order of the stores.</summary>
    public ImmutableArray<string> Realms { get; } =
    [
        .. stores.Where(static s => s.Forms.HasFlag(StoredForms.Digest)).Select(static s => s.Realm).Distinct(StringComparer.Ordinal),
    ];

    /// <summary>Some store may have secrets of this form.</summary>
    public bool Can(StoredForms form) => stores.Any(s => s.Forms.HasFlag(form));

    /// <summary>The first store that knows the user, or that cannot say; else that nobody does.</summary>
    /// <param name="user">In canonical form.</param>
    public ValueTask<StoreFinding> FindAsync(string user, CancellationToken ct) =>
        Volatile.Read(ref successor) is null ? FindHereAsync(user, ct) : FindStillKnownAsync(user, ct);

    /// <summary>
    /// The same where another configuration has taken the place of this one: whom no store of that knows is nobody here either.
    /// </summary>
    private async ValueTask<StoreFinding> FindStillKnownAsync(string user, CancellationToken ct)
    {
        var found = await FindHereAsync(user, ct);
        return found.Answer is LoginAnswer.Found<StoredLogin> && (await Newest.FindAsync(user, ct)).Answer is LoginAnswer.NoMatch
            ? found with { Answer = StoredLogin.Nobody }
            : found;
    }

    private async ValueTask<StoreFinding> FindHereAsync(string user, CancellationToken ct)
    {
        StoreFinding rights = default;
        StoreFinding outage = default;
        for (var i = 0; i < stores.Count; i++) // an enumerator would be one more object for every message
        {
            var store = stores[i];
            var answer = await store.FindAsync(user, ct);
            switch (answer)
            {
                case LoginAnswer.Found<StoredLogin> { Stored.LeavesLogin: true }:
                    rights = rights.Store is null ? new(store, answer, i + 1) : rights;
                    break;
                case LoginAnswer.Found<StoredLogin> found:
                    return await JudgeAsync(new(store, found, i + 1, outage.Store is null ? null : outage.Answer), user, ct);
                case LoginAnswer.NoMatch:
                    break;
                default:
                    var bounds = BoundedStore.Around(store);
                    if (outage.Store is null)
                        outage = new(store, Said(store, answer), i + 1) { HasAnswersForSome = remembersOld };
                    if (bounds?.FindOld(user, out var age) is { Stored.LeavesLogin: false } old)
                        return await JudgeAsync(new(store, old, i + 1, Said(store, answer)) { Age = age }, user, ct);
                    if (bounds is not { Terms.OnOutage: OnOutage.Next })
                        return await JudgeAsync(outage, user, ct);
                    break;
            }
        }

        if (outage.Store is not null)
            return await JudgeAsync(outage with { HasAnswersForSome = stores.Count > 1 || remembersOld }, user, ct);
        if (rights.Store is not null)
            return rights with { Next = stores.Count };
        return stores.Count == 0
            ? new(Store: null, new LoginAnswer.Unavailable("no account store is configured"), Next: 0)
            : await JudgeAsync(new(stores[0], StoredLogin.Nobody, stores.Count), user, ct);
    }

    /// <summary>
    /// What somebody who fails is told in place of a refusal: who he is told to be wrong by must not show which store knows him, so while
    /// any store cannot answer, nobody is. Null where all can.
    /// </summary>
    public async ValueTask<LoginAnswer?> FindTroubleAsync(string user, StoreFinding found, CancellationToken ct)
    {
        if (found.Trouble is not null)
            return found.Trouble;
        for (var i = found.Next; i < stores.Count; i++)
        {
            if (await stores[i].FindAsync(user, ct) is var answer and not (LoginAnswer.Found<StoredLogin> or LoginAnswer.NoMatch))
                return Said(stores[i], answer);
        }

        return null;
    }

    /// <summary>
    /// Forgets what stores have said of a user before <paramref name="since"/>; false where nothing is forgotten, and the answer to whoever
    /// asked since then is what the stores say now. To be called for whoever fails, known or not: a password that was changed there
    /// counts at once, and a failure costs each store one question, whoever it is.
    /// </summary>
    /// <param name="since">A timestamp of the clock.</param>
    public bool Forget(string user, long since)
    {
        var forgotten = false;
        foreach (var store in stores)
            forgotten |= BoundedStore.Around(store) is { } bounded && bounded.Forget(user, since);
        return forgotten;
    }

    /// <summary>The answer with the name of the store that gave it; what it should not have given is none.</summary>
    internal static LoginAnswer Said(IAccountStore store, LoginAnswer? answer) => answer switch
    {
        LoginAnswer.Unavailable(var reason) => new LoginAnswer.Unavailable($"{store.Name}: {reason}"),
        LoginAnswer.Busy(var reason) => new LoginAnswer.Busy($"{store.Name}: {reason}"),
        _ => new LoginAnswer.Unavailable($"{store.Name}: it gave no answer"),
    };

    public void Dispose()
    {
        foreach (var store in stores)
            store.Dispose();
    }

    /// <summary>What the directory makes of it. Where that cannot answer, it can for nobody, and everybody is told so at once.</summary>
    private async ValueTask<StoreFinding> JudgeAsync(StoreFinding found, string user, CancellationToken ct)
    {
        if (directory is null)
            return found;
        try
        {
            var kept = await directory.FindAccountAsync(user, ct);
            var isDisabled = kept is { Enabled: false };
            if (found.Answer is LoginAnswer.Found<StoredLogin> { Stored.Account.Name: var name } && name != user)
            {
                kept = await directory.FindAccountAsync(name, ct);
                isDisabled |= kept is { Enabled: false };
            }

            if (kept?.Tenant is { } tenant)
                found = found with { Tenant = tenant };
            return isDisabled && found.Answer is LoginAnswer.Found<StoredLogin> { Stored: { IsDisabled: false } login }
                ? found with { Answer = login.Disable().ToAnswer() }
                : found;
        }
        catch (DirectoryUnavailableException e)
        {
            return new(found.Store, Said(found.Store!, new LoginAnswer.Unavailable(e.Message)), Next: 0);
        }
    }
}
