using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// What is stored for mechanisms in which the client proves that it knows the password and never shows it. A challenge names one secret, so
/// one credential is asked for: the newest that fits and has not expired, and one of a single program only where there is no other. A
/// challenge of SCRAM serves all with the same salt and count, as those that are made here have; any other logs in by PLAIN or LOGIN.
/// </summary>
internal abstract class StoredSecrets(LoginParts parts) : IProofListener
{
    protected LoginParts Parts => parts;

    /// <summary>As for passwords that were shown; a proof is never the same twice, so each wrong one counts.</summary>
    public async ValueTask<LoginAnswer> BeginProofAsync(string user, string? peer, CancellationToken ct)
    {
        if (parts.Protection is null)
            return LoginAnswer.Judge.Always;
        var isOpen = LoginNames.TryCanonical(user, out var canonical)
            && (await parts.Stores.FindAsync(canonical, ct)).Answer is LoginAnswer.Unavailable or LoginAnswer.Busy;
        var turn = await parts.Protection.EnterAsync(LoginParts.BudgetNameOf(user), peer, ct);
        return turn.Refusal ?? new LoginAnswer.Judge(new Proof(turn, isOpen));
    }

    /// <summary>Settles what <see cref="BeginProofAsync"/> took.</summary>
    public void OnProof(LoginAnswer.Judge turn, bool isProven, bool isUser)
    {
        if (turn.State is Proof(var taken, var isOpen))
            parts.Protection?.Settle(
                taken, isProven ? LoginOutcome.Right : isOpen ? LoginOutcome.Unchecked : LoginOutcome.Wrong, isUser: isUser);
    }

    /// <param name="read">The secret in a stored form; null where it has none.</param>
    /// <param name="needed">What the mechanism needs, for the audit trail.</param>
    protected async ValueTask<LoginAnswer> LookUpAsync<T>(
        string user,
        string? peer,
        StoredForms form,
        Func<StoredLogin, PasswordHash, T?> read,
        string needed,
        CancellationToken ct,
        Func<PasswordHash, bool>? fits = null)
        where T : class
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new LoginAnswer.NoMatch(LoginParts.NoName);
        if (parts.Protection?.WhyNot(canonical, peer) is { } pause)
            return new LoginAnswer.Unavailable(pause);
        var begun = parts.Clock.GetTimestamp();
        var origin = parts.OriginOf(peer);
        var found = await parts.Stores.FindAsync(canonical, ct);
        return found.Answer switch
        {
            LoginAnswer.Found<StoredLogin> { Stored: var login } when parts.NewestOf(login, form, fits) is { } credential
                && read(login, credential.Hash) is { } secret =>
                FoundOf(login, credential, secret) with { Alike = AlikeOf(login, credential), Proofs = parts.MostProofs },
            LoginAnswer.Found<StoredLogin> { Stored: var login } =>
                new LoginAnswer.NoMatch(Lacks(login, needed), UserExists: true)
                {
                    User = login.User,
                    InPlaceOfNo = InPlaceOfNoAsync,
                    Proofs = parts.MostProofs,
                },
            LoginAnswer.NoMatch => new LoginAnswer.NoMatch(LoginParts.UnknownUser)
            {
                User = canonical,
                InPlaceOfNo = InPlaceOfNoAsync,
                Proofs = parts.MostProofs,
            },
            // Somebody whom a store before this one knows gets a challenge, so this one does too.
            _ when found.IsOpenForSome =>
                new LoginAnswer.NoMatch("a store cannot answer")
                {
                    User = canonical,
                    InPlaceOfNo = _ => new(found.Answer),
                    Proofs = parts.MostProofs,
                },
            _ => found.Answer,
        };

        LoginAnswer.Found<T> FoundOf(StoredLogin login, StoredCredential credential, T secret) =>
            new(login.User, secret, login.Refusal ?? credential.WhyNot(origin))
            {
                Authority = parts.AuthorityOf(login, credential, origin),
                LoginData = LoginFacts.Of(found.Tenant, found.Aside),
                Credential = credential.Id,
                InPlaceOfNo = InPlaceOfNoAsync,
                InPlaceOfYes = ct => parts.UseAsync(login, credential, origin, ct),
            };

        ImmutableArray<LoginAnswer.Found<T>> AlikeOf(StoredLogin login, StoredCredential first)
        {
            if (login.Credentials.Length == 1 || first.Hash.Computation is not { } computation)
                return [];
            var now = parts.Clock.GetUtcNow();
            var alike = ImmutableArray.CreateBuilder<LoginAnswer.Found<T>>();
            foreach (var one in login.Credentials)
            {
                if (!ReferenceEquals(one, first)
                    && !(one.ExpiresAt <= now)
                    && one.Hash.Computation == computation
                    && read(login, one.Hash) is { } secret)
                    alike.Add(FoundOf(login, one, secret));
            }

            parts.NoteProofs(alike.Count + 1);
            return alike.ToImmutable();
        }

        // What was judged by may be old: the next try is by what the store says then.
        ValueTask<LoginAnswer?> InPlaceOfNoAsync(CancellationToken ct)
        {
            parts.Stores.Forget(canonical, begun);
            return parts.Stores.FindTroubleAsync(canonical, found, ct);
        }
    }

    /// <summary>Why an account cannot use a mechanism, for the audit trail.</summary>
    private static string Lacks(StoredLogin login, string needed)
    {
        if (login.IsCheckedByStore)
            return login.Refusal ?? "the store checks the password itself, so it has to be shown (PLAIN, LOGIN)";
        var has = login.Credentials.Select(static c => c.Hash.Description).Distinct(StringComparer.Ordinal).ToList();
        return login.Refusal ?? $"the account has only {string.Join(" and ", has)}; {needed}";
    }

    /// <param name="IsOpen">A store that may know the user cannot answer: nothing is held against it.</param>
    private sealed record Proof(LoginTurn Turn, bool IsOpen);
}
