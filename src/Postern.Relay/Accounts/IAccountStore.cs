using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts;

/// <summary>One place where logins are kept. Stores are asked in the configured order; the first that knows the user answers.</summary>
public interface IAccountStore
{
    /// <summary>What the configuration calls it; stands in the audit trail.</summary>
    string Name { get; }

    /// <summary>The forms that secrets can have here: what no form serves is never on offer.</summary>
    StoredForms Forms { get; }

    /// <summary>
    /// The forms that every user has, as far as can be said: a mechanism that only some users can use is on offer only where a listener names it,
    /// for clients take the strongest on offer and do not try another.
    /// </summary>
    StoredForms CommonForms { get; }

    /// <summary>
    /// What a wrong password for the costliest user here costs, kind by kind, as far as is known now: every login that fails is made to cost as much.
    /// It grows with new users and need not shrink.
    /// </summary>
    HashCosts Costs { get; }

    /// <summary>The realm for which DIGEST-MD5 secrets are kept here.</summary>
    string Realm { get; }

    /// <summary>
    /// Looks up <paramref name="user"/>, already in the form of <see cref="LoginNames.TryCanonical"/>. Never throws for a store that
    /// cannot answer: that is <see cref="StoreAnswer.Unavailable"/>.
    /// </summary>
    ValueTask<StoreAnswer> FindAsync(string user, CancellationToken ct);
}
