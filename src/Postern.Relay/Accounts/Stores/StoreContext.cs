using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Audit;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores;

/// <summary>What a store may be made from.</summary>
/// <param name="Decoys">What stands in for users that do not exist.</param>
public sealed record StoreContext(SqliteDirectory Directory, Decoys Decoys, IAuditLog Audit, TimeProvider Clock)
{
    /// <summary>What this server calls itself where it asks others; null where nobody has said.</summary>
    public Domain? Hostname { get; init; }

    /// <summary>Hears how stores answer; where it is not given, nobody asks it.</summary>
    public StoreHealths Health { get => field ??= new StoreHealths(Audit, Clock); init; }
}
