namespace Postern.Sasl;

/// <summary>Why an exchange failed, as far as the client may know it. A protocol maps each to one reply.</summary>
public enum SaslError
{
    /// <summary>Unknown user, wrong secret, disabled account, or an authorization identity that is not granted: one answer for all.</summary>
    BadCredentials,

    /// <summary>The message breaks the mechanism's own syntax.</summary>
    Malformed,

    /// <summary>A store could not answer; the client should try again later without asking its user.</summary>
    TemporaryFailure,
}
