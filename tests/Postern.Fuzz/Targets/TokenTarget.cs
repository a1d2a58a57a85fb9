using System.Net;
using System.Text;
using Base64Url = System.Buffers.Text.Base64Url;
using Postern.Fuzz.Models;
using Postern.Relay.Accounts.OAuth;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// Bearer tokens, key sets and answers of an issuer. The first octet says what the rest is: a token, claims that are signed as they are, the header of a
/// signed token, a key set, or an answer to introspection. Each has an answer, and none is an exception.
/// </summary>
internal sealed class TokenTarget : ITarget
{
    private const string Introspected = "https://opaque.test";

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TokenMint mint = new();
    private readonly Lazy<TokenVerifier> verifier;
    private byte[] answer = [];

    public TokenTarget() => verifier = new Lazy<TokenVerifier>(() =>
    {
        var keys = Path.Combine(Scratch.Directory("tokens"), "jwks.json");
        File.WriteAllText(keys, mint.KeySet());
        return new TokenVerifier(
            [
                new TokenIssuer(TokenMint.Issuer, new Uri($"file://{keys}"), Introspection: null, TokenMint.Audience, TokenMint.UserClaim),
                new TokenIssuer(Introspected, Keys: null, new IntrospectionEndpoint(new Uri("https://opaque.test/ask"), "c", new Secret("s")), TokenMint.Audience, TokenMint.UserClaim) { Scope = "mail" },
            ],
            static (user, _) => new(user.Length > 100 ? new LoginAnswer.Unavailable("long") : new LoginAnswer.Match(user)),
            new HttpClient(new Answerer(this)),
            new ManualClock(Now));
    });

    public string Name => "tokens";

    public Reached Reached { get; } = new("Match", "NoMatch", "Unavailable", "Match by introspection", "key set read", "key set refused", "key verifies nothing");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1200;

    public IEnumerable<byte[]> Seeds =>
    [
        .. Fuzz.Seeds.Of("\0a.b.c", "\0x", "\0..", "\0e30.e30.e30"),
        .. Claims().Select(static c => (byte[])[1, .. Encoding.UTF8.GetBytes(c)]),
        .. Fuzz.Seeds.Of("\u0002{\"alg\":\"ES256\",\"kid\":\"ES256\"}", "\u0002{\"alg\":\"RS256\"}", "\u0002{\"alg\":\"none\"}", "\u0002{\"alg\":\"HS256\",\"kid\":\"../x\",\"crit\":[\"exp\"]}"),
        [3, .. Encoding.UTF8.GetBytes(mint.KeySet())],
        .. Fuzz.Seeds.Of("\u0003{\"keys\":[]}", "\u0003{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AQAB\"}]}", "\u0003{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"\",\"y\":\"\"},{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", $"\u0003{{\"keys\":[{{\"kty\":\"RSA\",\"n\":\"{new string('A', 400)}\",\"e\":\"AA\"}}]}}"),
        .. Claims().Select(static c => (byte[])[4, .. Encoding.UTF8.GetBytes(c.Replace("{\"iss\"", "{\"active\":true,\"scope\":\"mail x\",\"iss\"", StringComparison.Ordinal).Replace(TokenMint.Issuer, Introspected, StringComparison.Ordinal))]),
        .. Fuzz.Seeds.Of("\u0004{\"active\":false}", "\u0004[]", "\u0004"),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(
    [
        "\"iss\":", "\"aud\":", "\"exp\":", "\"nbf\":", "\"iat\":", "\"email\":", "\"scope\":", "\"scp\":", "\"active\":true", "\"alg\":", "\"kid\":", "\"crit\":", "\"kty\":", "\"crv\":", "\"use\":\"sig\"", "\"x\":", "\"n\":", "\"e\":\"AQAB\"",
        "\"ES256\"", "\"RS512\"", "\"PS256\"", "\"none\"", "P-256", "P-384", "RSA", "EC", "null", "true", "{}", "[]", "[[[[[[[[[[[[[[[[[", "{\"a\":", "\\ud800", "\\udc00", "\\u0000", "\"", ",", ":", "}", "]", "A", "=", "-_", ".",
        .. NumberTexts.All,
    ]);

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.IsEmpty)
            return signal.Value;
        var (kind, rest) = (input.Span[0] % 5, input[1..].ToArray());
        signal.Add(kind);
        switch (kind)
        {
            case 0:
                Note(await verifier.Value.CheckTokenAsync(Encoding.Latin1.GetString(rest), peer: null, CancellationToken.None), "Match", ref signal);
                break;
            case 1:
                Note(await verifier.Value.CheckTokenAsync(mint.Sign(rest, "ES256"), peer: null, CancellationToken.None), "Match", ref signal);
                break;
            case 2:
                Note(await verifier.Value.CheckTokenAsync($"{Base64Url.EncodeToString(rest)}.{mint.Sign(Encoding.UTF8.GetBytes(Claims()[0]), "ES256").Split('.', 2)[1]}", peer: null, CancellationToken.None), "Match", ref signal);
                break;
            case 3:
                signal.Add((int)await ReadKeysAsync(rest));
                break;
            default:
                answer = rest;
                Note(await verifier.Value.CheckTokenAsync("opaque", peer: null, CancellationToken.None), "Match by introspection", ref signal);
                break;
        }

        return signal.Value;
    }

    private async ValueTask<ulong> ReadKeysAsync(byte[] json)
    {
        var signal = new Signal();
        if (!WebKeySet.TryParse(json, out var set, out var problem))
        {
            Reached.Note("key set refused");
            signal.Add(problem.Length);
            return signal.Value;
        }

        Reached.Note("key set read");
        foreach (var key in set.Keys.Take(3))
        {
            foreach (var algorithm in TokenIssuer.AllAlgorithms.Where(a => set.Candidates(id: null, a).Contains(key)).Take(2))
            {
                var zeros = $"{Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"{{algorithm}}"}"""))}.e30.{Base64Url.EncodeToString(new byte[64])}";
                BrokenException.Unless(SignedToken.TryParse(zeros, out var token, out _), "a token of zeros is a token");
                var verdict = await token!.VerifyAsync([key]);
                BrokenException.Unless(verdict == SignedToken.Verdict.Wrong, "zeros are no signature");
                signal.Add((int)verdict);
                Reached.Note("key verifies nothing");
            }
        }

        return signal.Value;
    }

    private void Note(LoginAnswer check, string match, ref Signal signal)
    {
        var name = check is LoginAnswer.Match ? match : check.GetType().Name;
        Reached.Note(name);
        signal.Add(Encoding.UTF8.GetBytes(name));
        if (check is LoginAnswer.NoMatch noMatch)
            signal.Add(noMatch.Reason.Length);
    }

    private static string[] Claims() =>
    [
        $$"""{"iss":"{{TokenMint.Issuer}}","aud":"{{TokenMint.Audience}}","exp":{{Now.AddHours(1).ToUnixTimeSeconds()}},"email":"a@b.test"}""",
        $$"""{"iss":"{{TokenMint.Issuer}}","aud":["x","{{TokenMint.Audience}}"],"exp":1e300,"nbf":-1,"iat":0.5,"email":"a@b.test","scope":"mail"}""",
        $$"""{"iss":"{{TokenMint.Issuer}}","aud":"{{TokenMint.Audience}}","exp":253402300798.9,"nbf":1,"email":"\u00e9"}""",
    ];

    private sealed class Answerer(TokenTarget target) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(target.answer) });
    }
}
