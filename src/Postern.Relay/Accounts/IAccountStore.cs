namespace Postern.Relay.Accounts;

/// <summary>One place where logins are kept. Stores are asked in the configured order; the first that knows the user answers.</summary>
public interface IAccountStore
{
    /// <summary>The word for it in the configuration, and in the audit trail.</summary>
    string Name { get; }

    /// <summary>
    /// Looks up <paramref name="user"/>, already in the form of <see cref="LoginNames.TryCanonical"/>. Never throws for a store that
    /// cannot answer: that is <see cref="StoreAnswer.Unavailable"/>.
    /// </summary>
    ValueTask<StoreAnswer> FindAsync(string user, CancellationToken ct);
}
