namespace Postern.Relay.Audit;

/// <summary>What there is room for.</summary>
internal enum AuditRoomState
{
    Free,

    /// <summary>What clients without a login cause is only counted.</summary>
    NoStrangers,

    /// <summary>Nothing is written; it is counted as lost.</summary>
    Full,
}
