namespace Postern.Sasl.Verifiers;

/// <summary>Checks a bearer token (OAUTHBEARER, XOAUTH2).</summary>
public interface ITokenVerifier
{
    /// <summary>
    /// Checks <paramref name="token"/>, which holds printable US-ASCII, and says whose it is. A key set or an introspection endpoint that cannot be reached
    /// is <see cref="TokenCheck.Unavailable"/>, never a refusal.
    /// </summary>
    ValueTask<TokenCheck> CheckTokenAsync(string token, string? peer, CancellationToken ct);
}
