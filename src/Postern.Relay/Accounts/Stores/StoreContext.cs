namespace Postern.Relay.Accounts.Stores;

/// <summary>What a store may be made from.</summary>
public sealed record StoreContext(SqliteDirectory Directory);
