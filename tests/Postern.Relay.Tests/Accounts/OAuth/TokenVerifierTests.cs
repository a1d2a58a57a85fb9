using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Postern.Relay.Accounts.OAuth;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.OAuth;

public sealed class TokenVerifierTests : IDisposable
{
    private const string Issuer = "https://id.example.org";

    private readonly ManualClock clock = new();
    private readonly RSA rsa = RSA.Create(2048);
    private readonly ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ScriptedHttp http = new();
    private readonly HttpClient client;
    private readonly string keyFile = Path.Combine(Path.GetTempPath(), $"postern-jwks-{Guid.NewGuid():n}.json");

    public TokenVerifierTests()
    {
        client = new HttpClient(http);
        File.WriteAllText(keyFile, KeySet());
    }

    public static TheoryData<string> Algorithms() => [.. TokenIssuer.AllAlgorithms];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task A_good_token_is_its_users_in_every_algorithm(string algorithm)
    {
        using var curve = ECDsa.Create(algorithm switch { "ES384" => ECCurve.NamedCurves.nistP384, "ES512" => ECCurve.NamedCurves.nistP521, _ => ECCurve.NamedCurves.nistP256 });
        await File.WriteAllTextAsync(keyFile, KeySet(curve), TestContext.Current.CancellationToken);
        Assert.Equal("lisa@example.org", Assert.IsType<LoginAnswer.Match>(await CheckAsync(Sign(Claims(), algorithm, curve))).User);
    }

    [Theory]
    [InlineData("""{"iss":"https://evil.example","aud":"postern","exp":9999999999,"email":"lisa@example.org"}""", "issuer")]
    [InlineData("""{"iss":"https://id.example.org/","aud":"postern","exp":9999999999,"email":"lisa@example.org"}""", "issuer")]
    [InlineData("""{"aud":"postern","exp":9999999999,"email":"lisa@example.org"}""", "issuer")]
    [InlineData("""{"iss":"https://id.example.org","aud":"another","exp":9999999999,"email":"lisa@example.org"}""", "audience")]
    [InlineData("""{"iss":"https://id.example.org","aud":["a","b"],"exp":9999999999,"email":"lisa@example.org"}""", "audience")]
    [InlineData("""{"iss":"https://id.example.org","exp":9999999999,"email":"lisa@example.org"}""", "audience")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","email":"lisa@example.org"}""", "expires")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","exp":"9999999999","email":"lisa@example.org"}""", "expires")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","exp":1000,"email":"lisa@example.org"}""", "expired")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","exp":9999999999,"nbf":9999999990,"email":"lisa@example.org"}""", "not valid yet")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","exp":9999999999,"nbf":"x","email":"lisa@example.org"}""", "not valid yet")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","exp":9999999999}""", "claim")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","exp":9999999999,"email":["lisa@example.org"]}""", "claim")]
    [InlineData("""{"iss":"https://id.example.org","aud":"postern","exp":9999999999,"email":"nobody@example.org"}""", "unknown user")]
    public async Task A_token_for_others_or_for_another_time_is_refused(string claims, string reason) =>
        Assert.Contains(reason, Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Sign(claims))).Reason, StringComparison.Ordinal);

    /// <summary>No algorithm, a public key taken for a secret one, a key id that is a path, a critical header.</summary>
    [Theory]
    [InlineData("""{"alg":"none"}""")]
    [InlineData("""{"alg":"None"}""")]
    [InlineData("""{"alg":"HS256","kid":"rsa"}""")]
    [InlineData("""{"alg":"RS256","kid":"../../etc/passwd"}""")]
    [InlineData("""{"alg":"RS256","kid":["rsa"]}""")]
    [InlineData("""{"alg":"ES256","kid":"rsa"}""")]
    [InlineData("""{"alg":"RS256","kid":"rsa","crit":["b64"],"b64":false}""")]
    [InlineData("""{"kid":"rsa"}""")]
    [InlineData("""{"alg":"RS256","alg":"none","kid":"rsa"}""")]
    [InlineData("""[]""")]
    [InlineData("""{""")]
    public async Task Row_41_a_header_cannot_choose_its_own_key_or_no_key(string header)
    {
        var signed = $"{Encode(header)}.{Encode(Claims())}";
        var mac = HMACSHA256.HashData(rsa.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(signed));
        var signature = rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync($"{signed}."));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync($"{signed}.{Encode(mac)}"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync($"{signed}.{Encode(signature)}"));
    }

    [Fact]
    public async Task A_token_that_was_touched_anywhere_is_refused()
    {
        var token = Sign(Claims());
        for (var i = 0; i < token.Length; i += 7)
        {
            var touched = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(touched));
        }

        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(token + "A"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(token + "="));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(token.Replace(".", "..", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_clock_may_differ_by_a_minute()
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Sign(Claims(expires: now - 30))));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Sign(Claims(expires: now - 61))));
    }

    [Fact]
    public async Task A_key_file_that_cannot_be_read_is_no_verdict()
    {
        File.Delete(keyFile);
        Assert.Contains("cannot be read", Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Sign(Claims()))).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_file_that_changes_counts_for_the_next_token_and_a_broken_one_changes_nothing()
    {
        using var verifier = Verifier(new TokenIssuer(Issuer, new Uri(keyFile), Introspection: null, "postern", "email"));
        var ct = TestContext.Current.CancellationToken;
        Assert.IsType<LoginAnswer.Match>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, ct));

        using var another = RSA.Create(2048);
        var taken = KeySet().Replace(Encode(rsa.ExportParameters(includePrivateParameters: false).Modulus!), Encode(another.ExportParameters(includePrivateParameters: false).Modulus!), StringComparison.Ordinal);
        await File.WriteAllTextAsync(keyFile, taken + "\n", ct);
        Assert.Contains("signature", Assert.IsType<LoginAnswer.NoMatch>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, ct)).Reason, StringComparison.Ordinal);

        await File.WriteAllTextAsync(keyFile, KeySet(), ct);
        Assert.IsType<LoginAnswer.Match>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, ct));
        await File.WriteAllTextAsync(keyFile, "nonsense", ct);
        Assert.IsType<LoginAnswer.Match>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, ct));
    }

    /// <summary>A certificate beside the numbers, a symmetric key, keys too short and too long, an exponent that takes seconds, members of other types.</summary>
    [Fact]
    public void Of_a_key_set_only_the_numbers_of_keys_that_can_verify_are_taken()
    {
        string Rsa(int octets, string more = "") => $$"""{"kty":"RSA","n":"{{Encode([1, .. new byte[octets - 1]])}}","e":"AQAB"{{more}}}""";
        var keys = string.Join(',', Rsa(256, ""","kid":"a","x5c":["AAAA"]"""), Rsa(255), Rsa(1025), Rsa(256, ""","use":"enc" """), Rsa(256, ""","kid":7"""),
            $$"""{"kty":"RSA","n":"{{Encode([1, .. new byte[255]])}}","e":"{{Encode(new byte[16])}}"}""", """{"kty":"oct","k":"AAAA"}""", """{"kty":"EC","crv":"P-999","x":"AA","y":"AA"}""", "5");
        Assert.True(WebKeySet.TryParse(Encoding.UTF8.GetBytes($$"""{"keys":[{{keys}}]}"""), out var set, out var problem), problem);
        var only = Assert.Single(set.Keys);
        Assert.Equal("a", only.Kid);
        Assert.Empty(only.X5c);
    }

    [Fact]
    public async Task Row_176_a_login_by_a_token_ends_with_the_token()
    {
        var expires = clock.GetUtcNow().ToUnixTimeSeconds() + 600;
        var authority = Assert.IsType<LoginAnswer.Match>(await CheckAsync(Sign(Claims(expires)))).Authority!;
        clock.Advance(TimeSpan.FromSeconds(659));
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(CancellationToken.None));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Keys_that_the_issuer_rotates_are_fetched_and_old_ones_serve_while_it_is_down()
    {
        using var verifier = Verifier(new TokenIssuer(Issuer, new Uri("https://id.example.org/jwks"), Introspection: null, "postern", "email"));
        http.Answer = static _ => (500, "down");
        Assert.IsType<LoginAnswer.Unavailable>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, TestContext.Current.CancellationToken));

        clock.Advance(TimeSpan.FromMinutes(2));
        http.Answer = _ => (200, KeySet());
        Assert.IsType<LoginAnswer.Match>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, TestContext.Current.CancellationToken));
        var asked = http.Requests;
        Assert.IsType<LoginAnswer.Match>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, TestContext.Current.CancellationToken));
        Assert.Equal(asked, http.Requests);

        for (var i = 0; i < 20; i++)
            Assert.IsType<LoginAnswer.NoMatch>(await verifier.CheckTokenAsync(Sign(Claims(), keyId: $"unknown-{i}"), peer: null, TestContext.Current.CancellationToken));
        Assert.Equal(asked, http.Requests);

        clock.Advance(TimeSpan.FromHours(2));
        http.Answer = static _ => (503, "down");
        Assert.IsType<LoginAnswer.Match>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, TestContext.Current.CancellationToken));
        clock.Advance(TimeSpan.FromHours(24));
        Assert.IsType<LoginAnswer.Unavailable>(await verifier.CheckTokenAsync(Sign(Claims()), peer: null, TestContext.Current.CancellationToken));
    }

    /// <summary>Near the end of the calendar, beyond it, before it, in fractions, too large for any type.</summary>
    [Theory]
    [InlineData("253402300798")]
    [InlineData("253402300799")]
    [InlineData("1e308")]
    [InlineData("1e999")]
    [InlineData("-1e308")]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("1e-320")]
    [InlineData("9223372036854775808")]
    public async Task Row_221_any_number_is_a_time_or_none_and_is_answered(string number)
    {
        var expires = await CheckAsync(Sign($$"""{"iss":"{{Issuer}}","aud":"postern","exp":{{number}},"iat":{{number}},"email":"lisa@example.org"}"""));
        Assert.Equal(number.StartsWith("253402300798", StringComparison.Ordinal), expires is LoginAnswer.Match);
        var begins = await CheckAsync(Sign($$"""{"iss":"{{Issuer}}","aud":"postern","exp":9999999999,"nbf":{{number}},"email":"lisa@example.org"}"""));
        Assert.Equal(number is "1e-320", begins is LoginAnswer.Match);
    }

    /// <summary>Half a surrogate pair and octets that are no UTF-8, as name and as value, in the header and in the claims.</summary>
    [Theory]
    [InlineData("{\"alg\":\"\\ud800\"}", "{}")]
    [InlineData("{\"alg\":\"RS256\",\"kid\":\"\\ud800\"}", "{}")]
    [InlineData("{\"\\udc00lg\":\"RS256\"}", "{}")]
    [InlineData("{\"alg\":\"RS256\"}", "{\"iss\":\"\\ud800\"}")]
    [InlineData("{\"alg\":\"RS256\"}", "{\"iss\":\"https://id.example.org\",\"aud\":[\"\\ud800\"]}")]
    [InlineData("{\"alg\":\"RS256\"}", "{\"iss\":\"\u00ff\"}")]
    [InlineData("{\"alg\":\"\u00ff\"}", "{}")]
    public async Task Row_222_a_token_with_a_text_that_is_no_unicode_is_no_token(string header, string claims)
    {
        var token = $"{Encode(Encoding.Latin1.GetBytes(header))}.{Encode(Encoding.Latin1.GetBytes(claims))}.{Encode("x")}";
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(token));
        Assert.False(WebKeySet.TryParse(Encoding.Latin1.GetBytes(header), out _, out _));
    }

    [Theory]
    [InlineData(200, """{"active":true,"aud":"postern","exp":9999999999,"email":"lisa@example.org"}""", typeof(LoginAnswer.Match))]
    [InlineData(200, """{"active":false}""", typeof(LoginAnswer.NoMatch))]
    [InlineData(200, """{"active":true,"aud":"another","exp":9999999999,"email":"lisa@example.org"}""", typeof(LoginAnswer.NoMatch))]
    [InlineData(200, """{"active":"true"}""", typeof(LoginAnswer.Unavailable))]
    [InlineData(200, """{}""", typeof(LoginAnswer.Unavailable))]
    [InlineData(200, """nonsense""", typeof(LoginAnswer.Unavailable))]
    [InlineData(401, """{"active":true}""", typeof(LoginAnswer.Unavailable))]
    [InlineData(500, """{"active":true}""", typeof(LoginAnswer.Unavailable))]
    public async Task An_opaque_token_is_the_issuers_to_judge(int status, string answer, Type expected)
    {
        using var verifier = Verifier(new TokenIssuer(Issuer, Keys: null, new IntrospectionEndpoint(new Uri("https://id.example.org/introspect"), "postern", new Secret("s3cret")), "postern", "email"));
        http.Answer = _ => (status, answer);
        Assert.IsType(expected, await verifier.CheckTokenAsync("opaque-token", peer: null, TestContext.Current.CancellationToken));
        Assert.Equal("token=opaque-token&token_type_hint=access_token", http.LastBody);
        Assert.Equal("Basic cG9zdGVybjpzM2NyZXQ=", http.LastAuthorization);
    }

    public void Dispose()
    {
        client.Dispose();
        http.Dispose();
        rsa.Dispose();
        ec.Dispose();
        File.Delete(keyFile);
    }

    private static string Claims(long expires = 9_999_999_999) =>
        $$"""{"iss":"{{Issuer}}","aud":["other","postern"],"exp":{{expires}},"nbf":1000,"email":"lisa@example.org"}""";

    private static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    private static string Encode(byte[] octets) => System.Buffers.Text.Base64Url.EncodeToString(octets);

    private async ValueTask<LoginAnswer> CheckAsync(string token)
    {
        using var verifier = Verifier(new TokenIssuer(Issuer, new Uri(keyFile), Introspection: null, "postern", "email"));
        return await verifier.CheckTokenAsync(token, peer: null, TestContext.Current.CancellationToken);
    }

    private TokenVerifier Verifier(TokenIssuer issuer) =>
        new([issuer], static (user, _) => new(user == "lisa@example.org" ? new LoginAnswer.Match(user) : new LoginAnswer.NoMatch("unknown user")), client, clock);

    private string Sign(string claims, string algorithm = "RS256", ECDsa? curve = null, string? keyId = null)
    {
        var hash = new HashAlgorithmName($"SHA{algorithm[2..]}");
        var signed = $"{Encode(JsonSerializer.Serialize(new { alg = algorithm, kid = keyId ?? (algorithm[0] == 'E' ? "ec" : "rsa") }))}.{Encode(claims)}";
        var octets = Encoding.ASCII.GetBytes(signed);
        var signature = algorithm[0] switch
        {
            'R' => rsa.SignData(octets, hash, RSASignaturePadding.Pkcs1),
            'P' => rsa.SignData(octets, hash, RSASignaturePadding.Pss),
            _ => (curve ?? ec).SignData(octets, hash),
        };
        return $"{signed}.{Encode(signature)}";
    }

    private string KeySet(ECDsa? curve = null)
    {
        var (r, e) = (rsa.ExportParameters(includePrivateParameters: false), (curve ?? ec).ExportParameters(includePrivateParameters: false));
        var name = e.Q.X!.Length switch { 32 => "P-256", 48 => "P-384", _ => "P-521" };
        return $$"""
            {"keys":[
              {"kty":"oct","kid":"mac","k":"AAAA"},
              {"kty":"RSA","use":"sig","kid":"rsa","n":"{{Encode(r.Modulus!)}}","e":"{{Encode(r.Exponent!)}}"},
              {"kty":"EC","use":"sig","kid":"ec","crv":"{{name}}","x":"{{Encode(e.Q.X!)}}","y":"{{Encode(e.Q.Y!)}}"}
            ]}
            """;
    }
}
