using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// Passwords that were shown. Known, unknown and disabled users take the same path; a store that checks passwords itself is asked by
/// whoever waits, and not by the threads that hash.
/// </summary>
internal sealed class StoredPasswords(LoginParts parts) : IPasswordVerifier
{
    /// <summary>Logins behind a used budget are not looked at, so that they tell nothing and cost nothing.</summary>
    public ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) =>
        CheckAsync(user, password, peer, connection: null, ct);

    /// <inheritdoc cref="CheckAsync(string, ReadOnlyMemory{byte}, string?, CancellationToken)"/>
    public async ValueTask<LoginAnswer> CheckAsync(
        string user, ReadOnlyMemory<byte> password, string? peer, SaslConnection? connection, CancellationToken ct)
    {
        var client = new LoginClient(peer, connection);
        if (parts.Protection is not { } protection)
            return (await JudgeAsync(user, password, client, ct)).Answer;
        var turn = await protection.EnterAsync(LoginParts.BudgetNameOf(user), peer, ct);
        if (turn.Refusal is { } refusal)
            return refusal;
        var judged = default(Judged);
        try
        {
            judged = await JudgeAsync(user, password, client, ct);
            return judged.Answer;
        }
        catch (OperationCanceledException)
        {
            // The work is done, or half done: who leaves before the answer pays for it like who gets none.
            judged = judged with { Outcome = LoginOutcome.Unanswered };
            throw;
        }
        finally
        {
            protection.Settle(turn, judged.Outcome, judged.Secret, judged.IsUser);
        }
    }

    private async ValueTask<Judged> JudgeAsync(string user, ReadOnlyMemory<byte> password, LoginClient client, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return Judged.Wrong(new LoginAnswer.NoMatch(LoginParts.NoName));
        var begun = parts.Clock.GetTimestamp();
        var found = await parts.Stores.FindAsync(canonical, ct);
        var judged = await JudgeAsync(found, canonical, password, client, ct);
        if (judged.Answer is LoginAnswer.NoMatch && parts.Stores.Forget(canonical, begun) && found.Trouble is null)
        {
            // It was said of what a store had said before. While one is in trouble all who fail are told so, and at the same time.
            var now = await parts.Stores.FindAsync(canonical, ct);
            if (!now.IsAs(found))
                (found, judged) = (now, await JudgeAsync(now, canonical, password, client, ct));
        }

        return judged.Answer is LoginAnswer.NoMatch && await parts.Stores.FindTroubleAsync(canonical, found, ct) is { } trouble
            ? judged with { Answer = trouble }
            : judged;
    }

    private async ValueTask<Judged> JudgeAsync(
        StoreFinding found, string canonical, ReadOnlyMemory<byte> password, LoginClient client, CancellationToken ct) =>
        found.Answer switch
        {
            LoginAnswer.Found<StoredLogin> { Stored: { IsCheckedByStore: true } login } =>
                await AskAsync(found, login, password, client, ct),
            LoginAnswer.Found<StoredLogin> { Stored: var login } => await HashAsync(found, login, password, client.Address, ct),
            LoginAnswer.NoMatch =>
                await AskAboutNobodyAsync(canonical, ct) ?? await WasteAsync(found.Store!, canonical, password, client.Address, ct),
            _ when found.IsOpenForSome =>
                (await WasteAsync(found.Store!, canonical, password, client.Address, ct)) with
                {
                    Answer = found.Answer,
                    Outcome = LoginOutcome.Unchecked,
                },
            _ => new Judged(found.Answer),
        };

    private async ValueTask<Judged> HashAsync(
        StoreFinding found, StoredLogin login, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        var store = found.Store!;
        var origin = parts.OriginOf(peer);
        var seen = login.SeenFrom(origin);
        var key = parts.Cache.KeyFor(store.Name, seen, password.Span);
        if (login.Refusal is null && parts.Cache.Recall(key) is { } known)
            return await UseAsync(found, login, known, origin, ct);

        var answer = await parts.Hashing.CheckAsync(
            key, seen, password, parts.Stores.Costs, peer, parts.Knows(login.User, peer), parts.Clock.GetUtcNow(), ct);
        switch (answer)
        {
            case LoginAnswer.Found<StoredCredential> or LoginAnswer.NoMatch when login.Refusal is { } refusal:
                return Judged.Wrong(new LoginAnswer.NoMatch(refusal, UserExists: true), key);
            case LoginAnswer.Found<StoredCredential> { Stored: var credential }:
                parts.Cache.Remember(key, credential);
                if (store.Name == DirectoryStore.Kind.Word)
                    parts.Replacement?.Offer(login, credential, password.Span);
                return await UseAsync(found, login, credential, origin, ct);
            case LoginAnswer.NoMatch:
                return Judged.Wrong(answer, key);
            case LoginAnswer.Busy:
                return new Judged(answer);
            default:
                return new Judged(StoreChain.Said(store, answer));
        }
    }

    /// <summary>The password is right, and is used.</summary>
    private async ValueTask<Judged> UseAsync(
        StoreFinding found, StoredLogin login, StoredCredential credential, LoginOrigin origin, CancellationToken ct) =>
        await parts.UseAsync(login, credential, origin, ct) switch
        {
            null => Judged.Right(MatchOf(found, login, credential, origin)),
            LoginAnswer.NoMatch no => Judged.Wrong(no),
            var other => new Judged(StoreChain.Said(found.Store!, other)),
        };

    /// <summary>Nobody of that name: it costs as much as the costliest user, and is told as late.</summary>
    private async ValueTask<Judged> WasteAsync(
        IAccountStore store, string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        var decoy = new StoredLogin(user, LoginParts.UnknownUser, []);
        var key = parts.Cache.KeyFor(store.Name, decoy, password.Span);
        return await parts.Hashing.CheckAsync(
            key, decoy, password, parts.Stores.Costs, peer, parts.Knows(user, peer), parts.Clock.GetUtcNow(), ct) switch
        {
            LoginAnswer.Busy busy => new Judged(busy),
            LoginAnswer.Unavailable unavailable => new Judged(StoreChain.Said(store, unavailable)),
            _ => Judged.Wrong(new LoginAnswer.NoMatch(LoginParts.UnknownUser), key),
        };
    }

    /// <summary>What stores that check passwords themselves would take for somebody whom they know; trouble, or null for none.</summary>
    private async ValueTask<Judged?> AskAboutNobodyAsync(string user, CancellationToken ct)
    {
        foreach (var store in parts.Stores.Stores)
        {
            var isAsked = store is not RoutedStore { Logins: var logins } || logins.Include(user);
            if (isAsked && await store.CheckNobodyAsync(ct) is { WhyOpen: not null } trouble)
                return new Judged(StoreChain.Said(store, trouble));
        }

        return null;
    }

    /// <summary>
    /// A disabled user is asked about like others, so that the time does not tell; and who fails costs what the costliest user of another
    /// store does.
    /// </summary>
    private async ValueTask<Judged> AskAsync(
        StoreFinding found, StoredLogin login, ReadOnlyMemory<byte> password, LoginClient client, CancellationToken ct)
    {
        var store = found.Store!;
        var key = parts.Cache.KeyFor(store.Name, login, password.Span);
        var answer = await store.CheckPasswordAsync(login.User, new Password(password), client, ct);
        if (answer is LoginAnswer.Match && login.IsPresumed)
        {
            // Whose account it is such a store may say with the password only, and what is disabled is so by that name too.
            found = await parts.Stores.FindAsync(login.User, ct);
            if (found.Store != store || found.Answer is not LoginAnswer.Found<StoredLogin> { Stored: var now })
                return new Judged(found.Answer.WhyOpen is null ? StoreChain.Said(store, answer: null) : found.Answer);
            login = now;
        }

        if (answer is LoginAnswer.Match match && login.Refusal is null)
            return Judged.Right(MatchOf(found, login, credential: null, parts.OriginOf(peer: null), match.LoginData as string));
        if (answer is not (LoginAnswer.Match or LoginAnswer.NoMatch))
            return new Judged(StoreChain.Said(store, answer));
        if (!login.IsPresumed && await WasteAsync(store, login.User, password, client.Address, ct) is { Answer.WhyOpen: not null } trouble)
            return trouble;
        return Judged.Wrong(login.Refusal is { } refusal ? new LoginAnswer.NoMatch(refusal, UserExists: true) : answer, key);
    }

    /// <param name="aside">What the store has said beside its yes.</param>
    private LoginAnswer.Match MatchOf(
        StoreFinding found, StoredLogin login, StoredCredential? credential, LoginOrigin origin, string? aside = null) =>
        new(login.User)
        {
            Authority = parts.AuthorityOf(login, credential, origin),
            LoginData = LoginFacts.Of(found.Tenant, found.Aside ?? aside),
            Credential = credential?.Id,
        };

    /// <summary>An answer, and what it means for the budgets.</summary>
    /// <param name="Secret">Which wrong password of which state of a user's credentials it was, to know it again.</param>
    private readonly record struct Judged(
        LoginAnswer Answer, LoginOutcome Outcome = LoginOutcome.Unchecked, VerificationKey Secret = default, bool IsUser = false)
    {
        public static Judged Right(LoginAnswer answer) => new(answer, LoginOutcome.Right);

        public static Judged Wrong(LoginAnswer answer, VerificationKey secret = default) =>
            new(answer, LoginOutcome.Wrong, secret, answer is LoginAnswer.NoMatch { UserExists: true });
    }
}
