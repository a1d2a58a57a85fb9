using System.Collections.Immutable;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>For operators: what the stores say of a user, without any secret.</summary>
public sealed class UserDescriptions
{
    private readonly LoginParts parts;
    private readonly IDirectory? directory;

    /// <param name="directory">Says who is disabled; null where there is none.</param>
    internal UserDescriptions(LoginParts parts, IDirectory? directory)
    {
        this.parts = parts;
        this.directory = directory;
    }

    /// <summary>Each store in turn, and what it says; stores behind the one that answers are not asked, as in a login.</summary>
    /// <exception cref="DirectoryUnavailableException">Whether the user is disabled cannot be said.</exception>
    public async ValueTask<ImmutableArray<(string Store, string Says)>> DescribeAsync(string user, CancellationToken ct) =>
        [.. (await VisitAsync(user, ct)).Select(static visit => (visit.Store, visit.Says))];

    /// <inheritdoc cref="DescribeAsync(string, CancellationToken)"/>
    public async ValueTask<ImmutableArray<StoreVisit>> VisitAsync(string user, CancellationToken ct)
    {
        var visits = ImmutableArray.CreateBuilder<StoreVisit>();
        if (!LoginNames.TryCanonical(user, out var canonical))
            return [new("-", StoreWord.NotAsked, "this is not a name that an account can have", Took: null)];
        var isAnswered = false;
        foreach (var store in parts.Stores.Stores)
        {
            if (isAnswered)
            {
                visits.Add(new(store.Name, StoreWord.NotAsked, "not asked any more", Took: null));
                continue;
            }

            if (store is RoutedStore { Logins: var logins } && !logins.Include(canonical))
            {
                visits.Add(new(store.Name, StoreWord.NotAsked, $"not asked: it is for {logins}", Took: null));
                continue;
            }

            var isThere = store.AnswersFromMemory || BoundedStore.Around(store)?.Remembers(canonical) is true;
            var begun = parts.Clock.GetTimestamp();
            var answer = await store.FindAsync(canonical, ct);
            var (word, says) = await DescribeAsync(answer, canonical, ct);
            visits.Add(new(store.Name, word, says, parts.Clock.GetElapsedTime(begun))
            {
                Login = (answer as LoginAnswer.Found<StoredLogin>)?.Stored,
                IsFromMemory = isThere,
                MayBePassedOver = word == StoreWord.CannotAnswer
                    && BoundedStore.Around(store) is { Terms.OnOutage: OnOutage.Next },
            });
            isAnswered = word is StoreWord.Knows || (word is StoreWord.CannotAnswer && !visits[^1].MayBePassedOver);
        }

        return visits.ToImmutable();
    }

    /// <summary>
    /// The store whose credentials log the user in, whether it is disabled or not; null where there is none, or a store cannot say.
    /// </summary>
    public async ValueTask<(string Store, StoredLogin Login)?> FindLoginAsync(string user, CancellationToken ct) =>
        LoginNames.TryCanonical(user, out var canonical)
        && await parts.Stores.FindAsync(
            canonical, ct) is { Store: { } store, Answer: LoginAnswer.Found<StoredLogin> { Stored: var login } }
            && (login.IsCheckedByStore || !login.Credentials.IsEmpty)
            ? (store.Name, login)
            : null;

    /// <summary>
    /// One of the credentials that log the user in, and why it would not from there, as a sentence; null where there is none of that name,
    /// or a store cannot say.
    /// </summary>
    /// <param name="named">Its label, or its number with or without <c>#</c>.</param>
    /// <param name="peer">The client's address; null for a client that has none.</param>
    public async ValueTask<(StoredCredential Credential, string? WhyNot)?> FindCredentialAsync(
        string user, string named, string? peer, CancellationToken ct) =>
        await FindLoginAsync(user, ct) is (_, { } login) && login.Credentials.FirstOrDefault(one => one.IsNamed(named)) is { } credential
            ? (credential, credential.WhyNot(parts.OriginOf(peer), parts.Clock.GetUtcNow()))
            : null;

    private async ValueTask<(StoreWord Word, string Says)> DescribeAsync(LoginAnswer answer, string user, CancellationToken ct) =>
        answer switch
        {
            LoginAnswer.Found<StoredLogin> { Stored: { LeavesLogin: true } login } =>
                (StoreWord.GivesRights, $"knows {login.User}, without a credential: a store behind it may log it in"),
            LoginAnswer.Found<StoredLogin> { Stored: var login } =>
                (StoreWord.Knows, Describe(await IsDisabledAsync(login, ct) ? login.Disable() : login)),
            { WhyOpen: { } reason } => (StoreWord.CannotAnswer, $"cannot answer: {reason}"),
            LoginAnswer.NoMatch => (StoreWord.KnowsNot, $"knows no {user}"),
            _ => (StoreWord.CannotAnswer, "cannot answer"),
        };

    private async ValueTask<bool> IsDisabledAsync(StoredLogin login, CancellationToken ct) =>
        !login.IsDisabled
        && directory is not null
        && (await directory.FindAccountAsync(login.User, ct) is { Enabled: false }
            || (login.Account.Name != login.User && await directory.FindAccountAsync(login.Account.Name, ct) is { Enabled: false }));

    private static string Describe(StoredCredential credential, DateTimeOffset now) =>
        $"{credential.Hash.Description} ({credential.Name}{(credential.ExpiresAt <= now ? ", expired" : string.Empty)}"
            + $"{(credential.Limits.IsNone ? string.Empty : $", {credential.Limits}")})";

    private string Describe(StoredLogin login)
    {
        var now = parts.Clock.GetUtcNow();
        var what = login switch
        {
            { Refusal: not null and not StoredLogin.Disabled } => string.Empty,
            { IsPresumed: true } => "it is asked with the password, and knows nobody before",
            { IsCheckedByStore: true } => "it checks the password itself",
            _ =>
                string.Join(
                    ", ",
                    login.Credentials.Select(c => Describe(c, now))),
        };
        return $"knows {login.User}: {(login.Refusal is { } refusal ? $"{refusal}; " : string.Empty)}{what}".TrimEnd(' ', ';');
    }
}
