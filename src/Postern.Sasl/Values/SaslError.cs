namespace Postern.Sasl;

/// <summary>Why an exchange failed, as far as the client may know it. A protocol maps each to one reply.</summary>
public enum SaslError
{
    /// <summary>
    /// Unknown user, wrong secret, disabled account, or an authorization identity that is not granted: one answer for all.
    /// </summary>
    BadCredentials,

    /// <summary>The message breaks the mechanism's own syntax.</summary>
    Malformed,

    /// <summary>A store could not answer; the client should try again later without asking its user.</summary>
    TemporaryFailure,

    /// <summary>The mechanism is weaker than this user may log in by; another one helps (RFC 4954 §6: 534).</summary>
    TooWeak,

    /// <summary>The user has no secret for this mechanism yet; one login by PLAIN would make it (RFC 4954 §6: 432).</summary>
    TransitionNeeded,

    /// <summary>Nothing was checked: too many wrong secrets came from there. The protocol ends the session (SMTP: 421).</summary>
    TooMany,
}
