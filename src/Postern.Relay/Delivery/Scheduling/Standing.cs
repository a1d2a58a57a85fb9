namespace Postern.Relay.Delivery.Scheduling;

/// <summary>What is known of a destination before it is connected to.</summary>
internal enum Standing
{
    /// <summary>Somebody answered there lately.</summary>
    Proven,

    /// <summary>It has not been tried, or that is long ago.</summary>
    Unknown,

    /// <summary>Nobody answered when it was last tried.</summary>
    Away,
}
