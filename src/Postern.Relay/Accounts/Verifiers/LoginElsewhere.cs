using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// A login by a mechanism that a store answers itself. Budgets, the chain of stores, the directory and grants count as for any other: whom
/// the store logs in has to be its user here, too.
/// </summary>
internal sealed class LoginElsewhere(
    LoginParts parts, IAuthorizationGrants grants, IAccountStore store, string mechanism, LoginClient client) : ISaslExchange, IDisposable
{
    private readonly IStoreExchange exchange = store.OwnMechanisms!.Begin(mechanism, client);

    /// <summary>What the client calls itself, as far as that can be read; null where it has not said.</summary>
    private string? claimed;

    /// <summary>
    /// Each message of the client takes its place in the budgets before it is passed on, and gives it back where it was no guess: which one
    /// the guess is, the store alone knows.
    /// </summary>
    public async ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
    {
        if (response is { } message)
            claimed = ClaimedName.In(mechanism, message.Span) ?? claimed;
        var name = claimed is null ? LoginProtection.Nameless : LoginParts.BudgetNameOf(claimed);
        var turn = response is null || parts.Protection is not { } protection
            ? LoginTurn.Free
            : await protection.EnterAsync(name, client.Address, ct);
        if (turn.Refusal is { } refusal)
            return SaslStep.Failure.Of(refusal, claimed);
        var outcome = LoginOutcome.Unchecked;
        try
        {
            var answer = await exchange.NextAsync(response, ct);
            if (answer is LoginAnswer.Found<StoreStep> { Stored: StoreStep.Goes(var data) })
                return new SaslStep.Challenge(data);
            var step = answer is LoginAnswer.Found<StoreStep> { Stored: StoreStep.Proven proven }
                ? await AdmitAsync(proven, ct)
                : SaslStep.Failure.Of(await InPlaceOfAsync(answer, ct), claimed);
            outcome = step switch
            {
                // A right secret of another account than the one that was named clears nothing of that one's.
                SaslStep.Success { Identity.AuthenticationId: var user } =>
                    claimed is null || user == name ? LoginOutcome.Right : LoginOutcome.Unchecked,
                SaslStep.Failure { Error: SaslError.BadCredentials } => LoginOutcome.Wrong,
                _ => LoginOutcome.Unchecked,
            };
            return step;
        }
        catch (OperationCanceledException)
        {
            outcome = LoginOutcome.Unanswered;
            throw;
        }
        finally
        {
            parts.Protection?.Settle(turn, outcome);
        }
    }

    public void Dispose() => exchange.Dispose();

    /// <summary>Who fails is told 454 while a store cannot answer that might have known him.</summary>
    private async ValueTask<LoginAnswer> InPlaceOfAsync(LoginAnswer answer, CancellationToken ct)
    {
        if (answer is not LoginAnswer.NoMatch)
            return answer.WhyOpen is null ? answer : StoreChain.Said(store, answer);
        if (claimed is null || !LoginNames.TryCanonical(claimed, out var canonical))
            return answer;
        var found = await parts.Stores.FindAsync(canonical, ct);
        return found.Answer.WhyOpen is not null ? found.Answer : await parts.Stores.FindTroubleAsync(canonical, found, ct) ?? answer;
    }

    private async ValueTask<SaslStep> AdmitAsync(StoreStep.Proven proven, CancellationToken ct)
    {
        var user = proven.User;
        if (store is RoutedStore { Logins: var logins } && !logins.Include(user))
            return Refuse($"{store.Name} has logged in {user}, and is for {logins} only ('logins')");
        var found = await parts.Stores.FindAsync(user, ct);
        if (found.Answer is not LoginAnswer.Found<StoredLogin> { Stored: var login })
            return SaslStep.Failure.Of(found.Answer, user);
        if (found.Store != store)
            return Refuse($"{store.Name} has logged in {user}, who is a user of {found.Store?.Name}, which is asked before it");
        if (login.Refusal is { } refusal)
            return Refuse(refusal);
        var authority = parts.AuthorityOf(login, credential: null, parts.OriginOf(client.Address));
        var by = proven.ProvenBy ?? user;
        if (by == user)
            return Welcome(user, authority);

        // Dovecot's own rule for master users has let him; here as everywhere a grant is needed too.
        if (!LoginNames.TryCanonical(by, out var canonical))
            return Refuse("who acts for the user has a name that no account can have");
        return await grants.ActAsAsync(canonical, user, ct) switch
        {
            LoginAnswer.Match grant => Welcome(canonical, grant.Authority ?? authority),
            { WhyOpen: not null } open => SaslStep.Failure.Of(open, canonical),
            LoginAnswer.NoMatch(var reason, _) =>
                Refuse($"{store.Name} lets {canonical} log in as {user}, and here he may not: {reason}"),
            _ => Refuse("no answer to the question whether it may"),
        };

        SaslStep.Failure Refuse(string reason) => new(SaslError.BadCredentials, user, reason, UserExists: true);

        SaslStep.Success Welcome(string authenticated, ILoginAuthority? holds) =>
            new(new SaslIdentity(authenticated, user), proven.Data)
            {
                Authority = holds,
                LoginData = LoginFacts.Of(found.Tenant, found.Aside),
            };
    }
}
