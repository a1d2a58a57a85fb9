namespace Postern.Relay.Delivery;

/// <summary>What an answer says about when to come again.</summary>
public enum RetryPace
{
    Usual,

    /// <summary>In minutes: greylisting, 450 or 451 with 4.7.1 or 4.2.0.</summary>
    Soon,

    /// <summary>In hours: the mailbox is full (4.2.2).</summary>
    Late,
}
