namespace Postern.Relay.Accounts.Stores;

/// <summary>What is done with a login while a store cannot answer.</summary>
public enum OnOutage
{
    /// <summary>454: no store behind it is asked.</summary>
    Fail,

    /// <summary>
    /// The stores behind it are asked, and whom they know logs in there. Whoever fails is still told 454: the store might have known him.
    /// </summary>
    Next,
}
