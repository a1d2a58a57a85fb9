namespace Postern.Relay.Accounts.Stores;

/// <summary>What the database says about one user name.</summary>
/// <param name="Account">Null when there is none.</param>
/// <param name="Login">Its credentials, or a decoy's.</param>
internal sealed record AccountFacts(Account? Account, StoreAnswer Login);
