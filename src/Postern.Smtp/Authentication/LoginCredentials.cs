using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Smtp.Authentication;

/// <summary>What a client revealed to prove who it is. No secret in it is ever printed.</summary>
public abstract record LoginCredentials
{
    private LoginCredentials()
    {
    }

    /// <summary>A password for <paramref name="User"/>, which is as the client wrote it, SASLprepared (RFC 4013).</summary>
    public sealed record UserPassword(string User, Password Password) : LoginCredentials;

    /// <summary>A bearer token (RFC 6750). The result must say whose it is; another user that the client claims to be is then refused.</summary>
    public sealed record BearerToken(Secret Token) : LoginCredentials;
}
