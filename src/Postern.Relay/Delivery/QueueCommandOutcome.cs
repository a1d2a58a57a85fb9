namespace Postern.Relay.Delivery;

/// <summary>What an operator's command on one message came to.</summary>
public enum QueueCommandOutcome
{
    Done,

    NotFound,

    /// <summary>An attempt is under way; a hold or a removal takes effect when it ends.</summary>
    UnderWay,

    /// <summary>The message is held: release it.</summary>
    Held,

    /// <summary>No route is configured.</summary>
    NoRoute,
}
