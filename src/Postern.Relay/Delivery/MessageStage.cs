namespace Postern.Relay.Delivery;

/// <summary>What a message in the spool is waiting for.</summary>
internal enum MessageStage
{
    /// <summary>Its next attempt's time.</summary>
    Waiting,

    /// <summary>A connection, or the end of an attempt under way.</summary>
    Active,

    /// <summary>An operator's release, or the end of the server's own hold.</summary>
    Held,

    /// <summary>A route to be configured.</summary>
    Parked,
}
