namespace Postern.Sasl.Verifiers;

/// <summary>Checks a bearer token (OAUTHBEARER, XOAUTH2).</summary>
public interface ITokenVerifier
{
    /// <summary>
    /// Checks <paramref name="token"/>, which holds printable US-ASCII, and says whose it is. A key set or an introspection endpoint that
    /// cannot be reached is <see cref="LoginAnswer.Unavailable"/>, never a refusal.
    /// </summary>
    ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct);

    /// <summary>The same, for a verifier that counts wrong tokens by user; by default the name is passed over.</summary>
    /// <param name="claimedUser">Who the client says it is, of which nothing is proven yet; null when it does not say.</param>
    ValueTask<LoginAnswer> CheckTokenAsync(string token, string? claimedUser, string? peer, CancellationToken ct) =>
        CheckTokenAsync(token, peer, ct);
}
