namespace Postern.Relay.Accounts.Protection;

/// <summary>What is done with a login that is about to be checked.</summary>
public enum LoginAdmission
{
    /// <summary>It is checked, and holds its place in the budgets until <see cref="LoginProtection.Settle"/>.</summary>
    Check,

    /// <summary>Not checked: 454.</summary>
    Pause,

    /// <summary>Not checked, and the session ends: 421. It should have waited, and there was no room.</summary>
    Close,
}
