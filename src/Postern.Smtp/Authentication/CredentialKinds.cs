namespace Postern.Smtp.Authentication;

/// <summary>What an authenticator can decide.</summary>
[Flags]
public enum CredentialKinds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A user and a password (PLAIN, LOGIN).</summary>
    Passwords = 1,

    /// <summary>A bearer token (OAUTHBEARER, XOAUTH2).</summary>
    BearerTokens = 2,
}
