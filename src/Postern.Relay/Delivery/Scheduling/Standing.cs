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

/// <summary>
/// Mail at work for destinations of which nobody knows whether they answer. There is room for a part of it only: it may stay long, and
/// others must find room.
/// </summary>
internal enum Doubt
{
    /// <summary>Somebody answers there; or so little is at work that it does not matter.</summary>
    None,

    /// <summary>It has not been tried.</summary>
    New,

    /// <summary>It has been tried before.</summary>
    Tried,
}
