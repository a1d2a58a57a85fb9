using System.Diagnostics.CodeAnalysis;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// One place where users are kept: what their logins are checked against, and what they may send as. Stores are asked in the configured
/// order; the first that knows the user answers. Any thread may ask, many at a time.
/// </summary>
/// <remarks>
/// A store that has to ask somebody else just does so and awaits: whoever opens it (<see cref="Stores.AccountStores.Open"/>) gives each
/// question a deadline, asks once where many want to know the same, and lets only so many questions be under way.
/// </remarks>
public interface IAccountStore : IDisposable
{
    /// <summary>What the configuration calls it; stands in the audit trail.</summary>
    string Name { get; }

    /// <summary>The forms that secrets can have here: what no form serves is never on offer.</summary>
    StoredForms Forms { get; }

    /// <summary>
    /// The forms that every user has, as far as can be said: a mechanism that only some users can use is on offer only where a listener
    /// names it, for clients take the strongest on offer and do not try another.
    /// </summary>
    StoredForms CommonForms => Forms;

    /// <summary>
    /// What a wrong password for the costliest user here costs, kind by kind, as far as is known now: every login that fails is made to
    /// cost as much. It grows with new users and need not shrink. What a store over a network has answered is counted by whoever opened it.
    /// </summary>
    HashCosts Costs => HashCosts.None;

    /// <summary>The realm for which DIGEST-MD5 secrets are kept here.</summary>
    string Realm { get; }

    /// <summary>
    /// It never waits for anybody: its answers are ready when they are asked for, and nothing of what a network needs is done for it.
    /// </summary>
    bool AnswersFromMemory => false;

    /// <summary>
    /// Looks up <paramref name="user"/>, already in the form of <see cref="LoginNames.TryCanonical"/>: <see cref="LoginAnswer.Found{T}"/>
    /// of <see cref="StoredLogin"/> (<see cref="StoredLogin.ToAnswer"/>), whether it may log in or not; <see cref="StoredLogin.Nobody"/>;
    /// or <see cref="LoginAnswer.Unavailable"/>, never "nobody", where it cannot be said. An exception counts as the last. The token is
    /// cancelled at the deadline, and when nobody waits for the answer any more.
    /// </summary>
    ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct);

    /// <summary>
    /// Checks a password of a user that was found with <see cref="StoredLogin.IsCheckedByStore"/>: a match, a mismatch, or that it cannot
    /// be said. Such a user logs in by mechanisms that show the password only. The memory is valid until the task completes.
    /// </summary>
    ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct) =>
        new(new LoginAnswer.Unavailable("it checks no passwords itself"));

    /// <summary>A name that nobody has; no domain ends like this (RFC 6761 §6.4).</summary>
    const string NobodysName = "nobody-7d41c0e6a2f3@postern.invalid";

    /// <summary>
    /// For operators: asks as a login would, so that everything an answer rests on is tried. Null where it can answer; else what is wrong,
    /// in words that hold no secret. A store that can find out more than by looking up a name that nobody has does so here.
    /// </summary>
    async ValueTask<string?> ProbeAsync(CancellationToken ct) => await FindAsync(NobodysName, ct) switch
    {
        LoginAnswer.NoMatch or LoginAnswer.Found<StoredLogin> { Stored.IsPresumed: true } => null,
        LoginAnswer.Found<StoredLogin> => "it finds somebody by a name that nobody has: does it look for the name that is asked for?",
        { WhyOpen: { } why } => why,
        _ => "it gave no answer",
    };

    /// <summary>Whether a password is right may depend on where the client is: then no answer is used for another address.</summary>
    bool AsksForClient => false;

    /// <inheritdoc cref="CheckPasswordAsync(string, Password, CancellationToken)"/>
    /// <param name="client">The client; nothing of it where <see cref="AsksForClient"/> is false.</param>
    ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, LoginClient client, CancellationToken ct) =>
        CheckPasswordAsync(user, password, ct);

    /// <summary>
    /// Takes as long as the check of a password, for nobody, so that the time of a refusal does not tell whom it knows. Null for a store
    /// that checks no passwords itself, or knows nobody before his password is right; else trouble, or a mismatch.
    /// </summary>
    ValueTask<LoginAnswer?> CheckNobodyAsync(CancellationToken ct) => new((LoginAnswer?)null);

    /// <summary>The mechanisms that it answers itself; null for a store that answers none.</summary>
    IMechanismStore? OwnMechanisms => null;

    /// <summary>Ends its connections; what is under way may fail.</summary>
    [SuppressMessage(
        "Usage", "CA1816:Dispose methods should call SuppressFinalize", Justification = "Most stores have nothing to dispose.")]
    void IDisposable.Dispose()
    {
    }
}
