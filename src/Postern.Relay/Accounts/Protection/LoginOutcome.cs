namespace Postern.Relay.Accounts.Protection;

/// <summary>How a login that was let through came out.</summary>
public enum LoginOutcome
{
    /// <summary>Nothing was said about the secret: the check was cancelled, or this server could not make it.</summary>
    Unchecked,

    /// <summary>Somebody else was asked and did not answer; that costs the place its share, and the account none.</summary>
    Unanswered,

    Wrong,

    /// <summary>Wrong, as is known from before.</summary>
    Repeated,

    Right,
}
