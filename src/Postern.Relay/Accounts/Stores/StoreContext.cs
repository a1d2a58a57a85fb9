using Postern.Relay.Audit;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores;

/// <summary>What a store may be made from.</summary>
/// <param name="Decoys">What stands in for users that do not exist.</param>
public sealed record StoreContext(SqliteDirectory Directory, Decoys Decoys, IAuditLog Audit, TimeProvider Clock);
