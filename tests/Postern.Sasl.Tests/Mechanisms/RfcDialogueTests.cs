using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Client;
using Postern.Sasl.Digest;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>The example dialogues of the RFCs, octet by octet, from both sides.</summary>
public sealed class RfcDialogueTests
{
    public static TheoryData<string, string, string, string, string, string, string, string, string> Scram() => new()
    {
        // RFC 5802 §5
        {
            "SHA1", "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "user"
        },

        // RFC 7677 §3
        {
            "SHA256", "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "user"
        },
    };

    [Theory]
    [MemberData(nameof(Scram))]
    public async Task Scram_plays_its_rfc(string hash, string clientNonce, string serverNonce, string salt, string first, string serverFirst, string final, string serverFinal, string user)
    {
        var algorithm = new HashAlgorithmName(hash);
        Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(salt), out var saltOctets));
        var secrets = new OneScramUser(user, ScramSecret.Derive(algorithm, "pencil", saltOctets, 4096));
        var server = new ScramMechanism.Exchange(new SaslContext(), secrets, algorithm, isPlus: false) { ServerNonce = serverNonce };
        using var client = new ScramClient.Exchange(algorithm, user, "pencil", "n,,", binding: default, minIterations: 4096, maxIterations: 4096) { ClientNonce = clientNonce };

        Assert.Equal(first, Said(client.Next(challenge: null)));
        Assert.Equal(serverFirst, Text(((SaslStep.Challenge)await server.NextAsync(Encoding.ASCII.GetBytes(first), CancellationToken.None)).Data));
        Assert.Equal(final, Said(client.Next(Encoding.ASCII.GetBytes(serverFirst))));
        var success = Assert.IsType<SaslStep.Success>(await server.NextAsync(Encoding.ASCII.GetBytes(final), CancellationToken.None));
        Assert.Equal(serverFinal, Text(success.Data!.Value));
        Assert.Equal(string.Empty, Said(client.Next(Encoding.ASCII.GetBytes(serverFinal))));
        Assert.True(client.MayTrustSuccess);
    }

    /// <summary>RFC 2195 §2.</summary>
    [Fact]
    public async Task Cram_md5_plays_its_rfc()
    {
        const string Challenge = "<1896.697170952@postoffice.reston.mci.net>";
        const string Response = "tim b913a602c7eda7a495b4e6e7334d3890";
        var server = new CramMd5Mechanism.Exchange(new SaslContext(), new OneSecret("tim", "tanstaaftanstaaf"u8.ToArray())) { Nonce = Challenge[1..^1] };
        Assert.Equal(Challenge, Text(((SaslStep.Challenge)await server.NextAsync(response: null, CancellationToken.None)).Data));
        Assert.Equal("tim", Assert.IsType<SaslStep.Success>(await server.NextAsync(Encoding.ASCII.GetBytes(Response), CancellationToken.None)).Identity.AuthorizationId);

        using var client = CramMd5Client.Instance.TryStart(new SaslClientCredentials { User = "tim", Password = new Secret("tanstaaftanstaaf") })!;
        Assert.Null(((SaslClientStep.Response)client.Next(challenge: null)).Data);
        Assert.Equal(Response, Said(client.Next(Encoding.ASCII.GetBytes(Challenge))));
    }

    /// <summary>RFC 2831 §4: the IMAP example and the ACAP example.</summary>
    [Theory]
    [InlineData("imap", "OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk", "d388dad90d4bbd760a152321f2143af7", "ea40f60335c427b5527b84dbabcdfffd")]
    [InlineData("acap", "OA9BSXrbuRhWay", "OA9BSuZWMSpW8m", "6084c6db3fede7352c551284490fd0fc", "2f0b3d7c3c2e486600ef710726aa2eae")]
    public async Task Digest_md5_plays_its_rfc(string service, string nonce, string clientNonce, string proof, string confirmation)
    {
        const string Realm = "elwood.innosoft.com";
        var secrets = new OneSecret("chris", DigestFunctions.Secret("chris", Realm, "secret")) { Realms = [Realm] };
        var server = new DigestMd5Mechanism.Exchange(new SaslContext { Service = service }, secrets) { Nonce = nonce };
        var ours = ((SaslStep.Challenge)await server.NextAsync(response: null, CancellationToken.None)).Data;
        Assert.Equal($"realm=\"{Realm}\",nonce=\"{nonce}\",qop=\"auth\",charset=utf-8,algorithm=md5-sess", Text(ours));
        var challenge = Encoding.ASCII.GetBytes($"realm=\"{Realm}\",nonce=\"{nonce}\",qop=\"auth\",algorithm=md5-sess,charset=utf-8");

        var credentials = new SaslClientCredentials { Service = service, Host = Realm };
        using var client = new DigestMd5Client.Exchange(credentials, "chris", "secret", actAs: string.Empty) { ClientNonce = clientNonce };
        client.Next(challenge: null);
        var response = Said(client.Next(challenge));
        Assert.Equal($"charset=utf-8,username=\"chris\",realm=\"{Realm}\",nonce=\"{nonce}\",nc=00000001,cnonce=\"{clientNonce}\",digest-uri=\"{service}/{Realm}\",response={proof},qop=auth", response);
        var success = Assert.IsType<SaslStep.Success>(await server.NextAsync(Encoding.UTF8.GetBytes(response), CancellationToken.None));
        Assert.Equal("rspauth=" + confirmation, Text(success.Data!.Value));
        client.Next(success.Data);
        Assert.True(client.MayTrustSuccess);
    }

    /// <summary>RFC 7628 §4.3: an empty <c>auth=</c> asks for the reason, which <c>AQ==</c> acknowledges. §4.2 is OAuth 1.0a, which nobody speaks.</summary>
    [Fact]
    public async Task Oauthbearer_answers_an_empty_token_with_what_it_wants()
    {
        const string Response = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9AQE=";
        Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(Response), out var message));
        var server = OAuthBearerMechanism.Instance.TryStart(new SaslContext { Tokens = new OneToken("x", "user@example.com") })!;
        Assert.Contains("\"status\":\"invalid_token\"", Text(Assert.IsType<SaslStep.Challenge>(await server.NextAsync(message, CancellationToken.None)).Data), StringComparison.Ordinal);
        Assert.True(StrictBase64.TryDecode("AQ=="u8, out var acknowledgement));
        Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(await server.NextAsync(acknowledgement, CancellationToken.None)).Error);
    }

    /// <summary>RFC 4616 §4: the first is let in, the second may not act as <c>Ursel</c>.</summary>
    [Fact]
    public async Task Plain_plays_its_rfc()
    {
        var context = new SaslContext { Passwords = PasswordVerifier.From(static (user, password, _) => new(password.Matches(user == "tim" ? "tanstaaftanstaaf" : "xipj3plmq"))) };
        var tim = await PlainMechanism.Instance.TryStart(context)!.NextAsync("\0tim\0tanstaaftanstaaf"u8.ToArray(), CancellationToken.None);
        Assert.Equal(new SaslIdentity("tim", "tim"), Assert.IsType<SaslStep.Success>(tim).Identity);
        var kurt = await PlainMechanism.Instance.TryStart(context)!.NextAsync("Ursel\0Kurt\0xipj3plmq"u8.ToArray(), CancellationToken.None);
        Assert.Contains("may not act as", Assert.IsType<SaslStep.Failure>(kurt).Reason, StringComparison.Ordinal);
        using var client = PlainClient.Instance.TryStart(new SaslClientCredentials { AuthorizationId = "Ursel", User = "Kurt", Password = new Secret("xipj3plmq") })!;
        Assert.Equal("Ursel\0Kurt\0xipj3plmq", Said(client.Next(challenge: null)));
    }

    /// <summary>RFC 7628 §4.1 and §4.4.</summary>
    [Fact]
    public async Task Oauthbearer_plays_its_rfc()
    {
        const string Message = "n,a=user@example.com,\u0001host=server.example.com\u0001port=143\u0001auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u0001\u0001";
        var context = new SaslContext { Tokens = new OneToken("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "user@example.com") };
        var server = OAuthBearerMechanism.Instance.TryStart(context)!;
        Assert.Equal("user@example.com", Assert.IsType<SaslStep.Success>(await server.NextAsync(Encoding.ASCII.GetBytes(Message), CancellationToken.None)).Identity.AuthorizationId);

        using var client = OAuthBearerClient.Instance.TryStart(new SaslClientCredentials
        {
            User = "user@example.com", Host = "server.example.com", Port = 143, Token = new Secret("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="),
        })!;
        Assert.Equal(Message, Said(client.Next(challenge: null)));

        var refused = OAuthBearerMechanism.Instance.TryStart(context)!;
        var why = await refused.NextAsync(Encoding.ASCII.GetBytes(Message.Replace("vF9", "xF9", StringComparison.Ordinal)), CancellationToken.None);
        Assert.Contains("\"status\":\"invalid_token\"", Text(Assert.IsType<SaslStep.Challenge>(why).Data), StringComparison.Ordinal);
        Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(await refused.NextAsync(new byte[] { 1 }, CancellationToken.None)).Error);
    }

    private static string Said(SaslClientStep step) => Text(Assert.IsType<SaslClientStep.Response>(step).Data!.Value);

    private static string Text(ReadOnlyMemory<byte> octets) => Encoding.UTF8.GetString(octets.Span);

    private sealed class OneScramUser(string name, ScramSecret secret) : IScramSecrets
    {
        public ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) =>
            new(user == name ? new LoginAnswer.Found<ScramSecret>(name, secret) : new LoginAnswer.NoMatch("unknown", UserExists: false));

        public bool Serves(HashAlgorithmName algorithm) => true;
    }

    private sealed class OneSecret(string name, byte[] secret) : ISharedSecrets, IDigestSecrets
    {
        public IReadOnlyList<string> Realms { get; init; } = [];

        public ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct) =>
            new(user == name ? new LoginAnswer.Found<SharedSecret>(name, new(secret)) : new LoginAnswer.NoMatch("unknown", UserExists: false));

        public ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) => FindSecretAsync(user, peer, ct);
    }

    private sealed class OneToken(string expected, string user) : ITokenVerifier
    {
        public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) =>
            new(token == expected ? new LoginAnswer.Match(user) : new LoginAnswer.NoMatch("unknown token"));
    }
}
