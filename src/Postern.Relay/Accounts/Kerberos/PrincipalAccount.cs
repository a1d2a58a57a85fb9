namespace Postern.Relay.Accounts.Kerberos;

/// <summary>Which account the principal <c>lisa@EXAMPLE.ORG</c> is.</summary>
public enum PrincipalAccount
{
    /// <summary><c>lisa@example.org</c>.</summary>
    Principal,

    /// <summary><c>lisa</c>.</summary>
    Name,
}
