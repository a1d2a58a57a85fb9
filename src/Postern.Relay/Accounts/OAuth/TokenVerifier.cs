using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// Verifies bearer tokens of the configured issuers: signed ones against their keys (RFC 7515, RFC 7519), others by asking the issuer (RFC
/// 7662). The user must be one whom the account stores know.
/// </summary>
/// <param name="findUser">The canonical name of an account that may log in, or why not.</param>
/// <param name="newest">Who is trusted now, for those who logged in before; null where that does not change.</param>
internal sealed class TokenVerifier(
    IReadOnlyList<TokenIssuer> issuers,
    UserLookUp findUser,
    HttpClient http,
    TimeProvider clock,
    Func<IReadOnlyList<TokenIssuer>>? newest = null) : ITokenVerifier, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<TokenIssuer, KeySetSource> sources = issuers.Where(static i => i.Keys is not null)
        .ToDictionary(static i => i, i => new KeySetSource(i.Keys!, http, clock));

    public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) => CheckAsync(token, findUser, ct);

    /// <summary>The same, with the same keys, for other users; this one is disposed for both.</summary>
    public ITokenVerifier With(UserLookUp find) => new ForOthers(this, find);

    private async ValueTask<LoginAnswer> CheckAsync(string token, UserLookUp find, CancellationToken ct)
    {
        if (!SignedToken.TryParse(token, out var signed, out var problem))
            return issuers.FirstOrDefault(static i => i.Introspection is not null) is { } asked
                ? await AskAsync(asked, token, find, ct)
                : new LoginAnswer.NoMatch(problem);
        if (issuers.FirstOrDefault(i => i.Issuer == TokenClaims.Text(signed.Claims, "iss")) is not { } issuer)
            return new LoginAnswer.NoMatch("the token is from an issuer that is not configured");
        return issuer.Introspection is null ? await VerifyAsync(issuer, signed, find, ct) : await AskAsync(issuer, token, find, ct);
    }

    public void Dispose()
    {
        foreach (var source in sources.Values)
            source.Dispose();
    }

    private async ValueTask<LoginAnswer> VerifyAsync(TokenIssuer issuer, SignedToken token, UserLookUp find, CancellationToken ct)
    {
        if (!issuer.Algorithms.Contains(token.Algorithm))
            return new LoginAnswer.NoMatch($"the token is signed by {token.Algorithm}, which is not accepted from this issuer");
        var (keys, unavailable) = await sources[issuer].FindAsync(token.KeyId, token.Algorithm, ct);
        if (unavailable is not null)
            return new LoginAnswer.Unavailable(unavailable);
        if (keys.Count == 0)
            return new LoginAnswer.NoMatch("no key of the issuer fits the token");
        return await token.VerifyAsync(keys) switch
        {
            SignedToken.Verdict.Good => await JudgeAsync(issuer, token.Claims, needsIssuer: true, find, ct),
            SignedToken.Verdict.Unreadable =>
                new LoginAnswer.NoMatch(
                    TokenClaims.Read(token.Claims, issuer, clock.GetUtcNow(), needsIssuer: true).Problem
                        ?? "the token's claims cannot be read"),
            _ => new LoginAnswer.NoMatch("the token's signature is wrong"),
        };
    }

    private async ValueTask<LoginAnswer> JudgeAsync(
        TokenIssuer issuer, JsonElement claims, bool needsIssuer, UserLookUp find, CancellationToken ct)
    {
        var (user, problem) = TokenClaims.Read(claims, issuer, clock.GetUtcNow(), needsIssuer);
        if (user is null)
            return new LoginAnswer.NoMatch(problem!) { ClaimedUser = TokenClaims.Text(claims, issuer.UserClaim), Scope = issuer.Scope };
        return await find(user, ct) switch
        {
            LoginAnswer.Match match => match with
            {
                Authority = new ListedAuthority(
                    () => WhyNoMore(issuer),
                    TokenClaims.Expiry(claims) is { } expires
                        ? new TokenAuthority(expires, issuer.Leeway, match.Authority, clock)
                        : match.Authority),
            },
            var other => other,
        };
    }

    /// <summary>Why its tokens are believed no more; null where they are.</summary>
    private string? WhyNoMore(TokenIssuer issuer) =>
        newest is null || newest().Any(now => now.Issuer == issuer.Issuer)
            ? null
            : $"the issuer {issuer.Issuer} is not configured any more";

    private async ValueTask<LoginAnswer> AskAsync(TokenIssuer issuer, string token, UserLookUp find, CancellationToken ct)
    {
        var endpoint = issuer.Introspection!;
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
            deadline.CancelAfter(Patience);
            using var request = new HttpRequestMessage(HttpMethod.Post, endpoint.Address);
            var client = $"{Uri.EscapeDataString(endpoint.ClientId)}:{Uri.EscapeDataString(endpoint.ClientSecret.Reveal())}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(client)));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Content = new FormUrlEncodedContent([new("token", token), new("token_type_hint", "access_token")]);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, deadline.Token);
            response.EnsureSuccessStatusCode();
            using var answer = TokenJson.Parse(await response.Content.ReadAsByteArrayAsync(deadline.Token));
            if (answer.RootElement.ValueKind != JsonValueKind.Object
                || !answer.RootElement.TryGetProperty("active", out var active)
                || active.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                return new LoginAnswer.Unavailable($"{endpoint.Address} does not answer as RFC 7662 says");
            return active.ValueKind == JsonValueKind.True
                ? await JudgeAsync(issuer, answer.RootElement.Clone(), needsIssuer: false, find, ct)
                : new LoginAnswer.NoMatch("the issuer says that the token is not active");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or IOException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return new LoginAnswer.Unavailable(
                $"{endpoint.Address} cannot be asked: {(e is OperationCanceledException ? "no answer in time" : e.Message)}");
        }
    }

    private sealed class ForOthers(TokenVerifier verifier, UserLookUp find) : ITokenVerifier
    {
        public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) =>
            verifier.CheckAsync(token, find, ct);
    }
}

/// <summary>Finds the user whom a token names.</summary>
internal delegate ValueTask<LoginAnswer> UserLookUp(string user, CancellationToken ct);
