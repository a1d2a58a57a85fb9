using System.Buffers.Text;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Logins;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Transports;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Access tokens for next hops, from an endpoint that behaves as RFC 6749 has it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class AccessTokensTests : IAsyncDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-tokens-");
    private readonly TokenServer server = new();
    private readonly ManualClock clock = new();
    private readonly List<string> told = [];

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private AccessTokens Tokens() => new(directory.FullName, clock, (grant, words) => told.Add($"{grant.Account}: {words}"));

    private TokenGrant Grant(GrantKind kind = GrantKind.ClientCredentials) =>
        new("robot@here.test", kind, new Uri(server.TokenUrl), "app-1") { ClientSecret = new Secret("s3cret"), Scope = "https://mail.test/.default" };

    private static async Task<string> TokenOf(AccessTokens tokens, TokenGrant grant) =>
        Assert.IsType<TokenAnswer.Granted>(await tokens.GetAsync(grant, CancellationToken.None)).Token.Reveal();

    [Fact]
    public async Task A_token_is_asked_for_once_and_renewed_before_it_ends()
    {
        var count = 0;
        server.Answer = _ => TokenReply.Granted($"token-{Interlocked.Increment(ref count)}");
        var tokens = Tokens();

        Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TokenOf(tokens, Grant()))), static token => Assert.Equal("token-1", token));
        clock.Advance(TimeSpan.FromMinutes(54));
        Assert.Equal("token-1", await TokenOf(tokens, Grant()));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("token-2", await TokenOf(tokens, Grant()));

        Assert.Equal(2, server.Asked.Count);
        var form = server.Asked[0];
        Assert.Equal(
            ("client_credentials", "app-1", "s3cret", "https://mail.test/.default"), (form["grant_type"], form["client_id"], form["client_secret"], form["scope"]));
    }

    [Fact]
    public async Task Where_the_endpoint_is_away_a_token_is_used_to_its_end()
    {
        var tokens = Tokens();
        await TokenOf(tokens, Grant());
        server.Answer = static _ => new TokenReply(503, "<html>Service unavailable</html>");

        clock.Advance(TimeSpan.FromMinutes(57));
        Assert.Equal("token-1", await TokenOf(tokens, Grant()));
        clock.Advance(TimeSpan.FromMinutes(4));
        var answer = Assert.IsType<TokenAnswer.Unavailable>(await tokens.GetAsync(Grant(), CancellationToken.None));

        Assert.Equal("127.0.0.1 answered 503 with no answer of a token endpoint", answer.Words);
        Assert.Empty(told);
    }

    [Fact]
    public async Task A_refusal_is_told_once_until_a_token_is_had_again_and_the_endpoint_is_asked_once_a_minute()
    {
        server.Answer = static _ => TokenReply.Refused("invalid_grant", "AADSTS50173: The provided grant has expired\r\ndue to it being revoked");
        var tokens = Tokens();
        for (var i = 0; i < 3; i++)
        {
            await tokens.GetAsync(Grant(), CancellationToken.None);
            var refused = Assert.IsType<TokenAnswer.Refused>(await tokens.GetAsync(Grant(), CancellationToken.None));
            Assert.Equal("invalid_grant", refused.Error);
            clock.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.Equal(3, server.Asked.Count);
        Assert.Equal("robot@here.test: 127.0.0.1: invalid_grant (AADSTS50173: The provided grant has expired  due to it being revoked)", Assert.Single(told));

        server.Answer = static _ => TokenReply.Granted("new", seconds: 60);
        Assert.Equal("new", await TokenOf(tokens, Grant()));
        server.Answer = static _ => TokenReply.Refused("invalid_client", "The secret has expired", status: 401);
        clock.Advance(TimeSpan.FromMinutes(2));
        await tokens.GetAsync(Grant(), CancellationToken.None);
        Assert.Equal(2, told.Count);
    }

    [Fact]
    public async Task A_refresh_token_that_is_given_in_the_place_of_another_is_kept_by_its_owner_alone_and_used_after_a_restart()
    {
        server.Answer = static form => TokenReply.Granted($"for-{form["refresh_token"]}", refresh: "second");
        var grant = Grant(GrantKind.RefreshToken) with { RefreshToken = new Secret("first") };
        Assert.Equal("for-first", await TokenOf(Tokens(), grant));

        Assert.Equal("for-second", await TokenOf(Tokens(), grant));

        var file = Assert.Single(directory.GetFiles());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode);
        Assert.DoesNotContain("s3cret", await File.ReadAllTextAsync(file.FullName), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refresh_token_that_cannot_be_written_is_used_all_the_same_and_written_when_it_can_be()
    {
        server.Answer = static form => form["refresh_token"] switch
        {
            "first" => TokenReply.Granted("one", seconds: 60, refresh: "second"),
            "second" => TokenReply.Granted("two", seconds: 60),
            _ => TokenReply.Refused("invalid_grant", "used before"),
        };
        var grant = Grant(GrantKind.RefreshToken) with { RefreshToken = new Secret("first") };
        var tokens = Tokens();
        tokens.Tell = (word, details) => told.Add($"{word}: {details}");
        // Nobody can write a file of a name that a directory has, not even root.
        var inTheWay = Directory.CreateDirectory(new KeptTokens(directory.FullName).PathOf(grant) + ".new");

        Assert.Equal("one", await TokenOf(tokens, grant));
        Assert.Contains("oauth_not_kept: the refresh token of robot@here.test cannot be written, so a restart would lose it", Assert.Single(told), StringComparison.Ordinal);
        inTheWay.Delete();
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("two", await TokenOf(tokens, grant));

        Assert.Equal("two", await TokenOf(Tokens(), grant));
        Assert.Single(told);
    }

    [Fact]
    public async Task What_somebody_writes_into_the_file_counts_where_what_was_kept_is_refused()
    {
        server.Answer = static form => form["refresh_token"] == "fresh" ? TokenReply.Granted("ok") : TokenReply.Refused("invalid_grant", "old");
        var grant = Grant(GrantKind.RefreshToken);
        new KeptTokens(directory.FullName).Write(grant, new Secret("old"));

        Assert.Equal("ok", await TokenOf(Tokens(), grant with { RefreshToken = new Secret("fresh") }));
    }

    [Fact]
    public async Task Nobody_has_allowed_it_until_a_code_is_entered_and_then_a_running_server_uses_it_at_once()
    {
        var polls = 0;
        server.Answer = form => form["path"] == "/device" ? TokenReply.Device("WDJB-MJHT")
            : form["grant_type"] == "refresh_token" ? TokenReply.Granted($"for-{form["refresh_token"]}")
            : Interlocked.Increment(ref polls) < 3 ? TokenReply.Refused("authorization_pending", "not yet")
            : TokenReply.Granted("unused", refresh: "allowed");
        var grant = Grant(GrantKind.RefreshToken) with { DeviceUrl = new Uri(server.DeviceUrl) };
        var tokens = Tokens();
        var refused = Assert.IsType<TokenAnswer.Refused>(await tokens.GetAsync(grant, CancellationToken.None));
        Assert.Equal("nobody has allowed it yet: postern oauth login robot@here.test", refused.Words);
        Assert.False(DeviceLogin.IsAllowed(grant, directory.FullName));

        string? shown = null;
        Assert.Null(await DeviceLogin.RunAsync(grant, directory.FullName, TimeProvider.System, (code, place, _) => shown = $"{code} at {place}", static _ => { }, CancellationToken.None));

        Assert.Equal("WDJB-MJHT at https://login.example.test/device", shown);
        Assert.True(DeviceLogin.IsAllowed(grant, directory.FullName));
        Assert.Equal("for-allowed", await TokenOf(tokens, grant));
    }

    [Theory]
    [InlineData("access_denied", "127.0.0.1: access_denied (no)", "said no")]
    [InlineData("expired_token", "nobody entered the code in time: 127.0.0.1: expired_token (no)", "again")]
    [InlineData("invalid_client", "127.0.0.1: invalid_client (no)", "client_id")]
    public async Task A_code_that_is_refused_is_told(string error, string words, string todo)
    {
        server.Answer = form => form["path"] == "/device" ? TokenReply.Device("WDJB-MJHT") : TokenReply.Refused(error, "no");

        var failure = await DeviceLogin.RunAsync(Grant(GrantKind.RefreshToken) with { DeviceUrl = new Uri(server.DeviceUrl) }, directory.FullName, TimeProvider.System, static (_, _, _) => { }, static _ => { }, CancellationToken.None);
        Assert.Equal(words, failure?.What);
        Assert.Contains(todo, failure?.Todo, StringComparison.Ordinal);
        Assert.Empty(directory.GetFiles());
    }

    [Fact]
    public async Task An_endpoint_that_never_answers_about_the_code_is_what_is_told_in_the_end_and_meanwhile()
    {
        var told = new List<string>();
        server.Answer = static form => form["path"] == "/device" ? TokenReply.Device("WDJB-MJHT") : new TokenReply(503, "<html>busy</html>");

        var running = DeviceLogin.RunAsync(
            Grant(GrantKind.RefreshToken) with { DeviceUrl = new Uri(server.DeviceUrl) }, directory.FullName, new LateClock(), (_, _, _) => { }, told.Add, CancellationToken.None);

        var failure = await running;
        Assert.Equal("127.0.0.1 answered 503 with no answer of a token endpoint", failure?.What);
        Assert.Contains("token_url", failure?.Todo, StringComparison.Ordinal);
        Assert.StartsWith(failure!.What, Assert.Single(told), StringComparison.Ordinal);
    }

    /// <summary>Its timers are those of the system, and each look at it is ten minutes later: a code is asked about once.</summary>
    private sealed class LateClock : TimeProvider
    {
        private int looks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMinutes(10 * Interlocked.Increment(ref looks));
    }

    [Fact]
    public async Task An_assertion_is_signed_by_the_key_and_says_who_asks_for_whom()
    {
        using var rsa = RSA.Create(2048);
        var key = new AssertionKey(new Secret(rsa.ExportPkcs8PrivateKeyPem()), "key-1", "app@project.test", "robot@here.test", server.TokenUrl);
        Assert.Null(key.WhyNot);
        await TokenOf(Tokens(), Grant(GrantKind.JwtBearer) with { Key = key });

        var form = Assert.Single(server.Asked);
        Assert.Equal("urn:ietf:params:oauth:grant-type:jwt-bearer", form["grant_type"]);
        var parts = form["assertion"].Split('.');
        Assert.True(rsa.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        var claims = JsonElement.Parse(Base64Url.DecodeFromChars(parts[1]));
        Assert.Equal("app@project.test robot@here.test https://mail.test/.default", $"{claims.GetProperty("iss")} {claims.GetProperty("sub")} {claims.GetProperty("scope")}");
        Assert.Equal(server.TokenUrl, claims.GetProperty("aud").GetString());
        Assert.Equal(clock.GetUtcNow().ToUnixTimeSeconds() + 600, claims.GetProperty("exp").GetInt64());
        Assert.Equal("key-1", JsonElement.Parse(Base64Url.DecodeFromChars(parts[0])).GetProperty("kid").GetString());
    }

    [Theory]
    [InlineData("{\"access_token\":\"x\",\"access_token\":\"y\"}")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"access_token\":\"\"}")]
    [InlineData("nonsense")]
    public async Task What_is_no_answer_gives_no_token(string body)
    {
        server.Answer = _ => new TokenReply(200, body);

        Assert.IsType<TokenAnswer.Unavailable>(await Tokens().GetAsync(Grant(), CancellationToken.None));
    }

    [Fact]
    public async Task A_token_that_the_next_hop_refuses_is_replaced_once_it_is_not_new_any_more()
    {
        var count = 0;
        server.Answer = _ => TokenReply.Granted($"token-{Interlocked.Increment(ref count)}");
        var tokens = Tokens();
        tokens.Discard(Grant(), new Secret(await TokenOf(tokens, Grant())));
        Assert.Equal("token-1", await TokenOf(tokens, Grant()));
        clock.Advance(TimeSpan.FromMinutes(2));
        tokens.Discard(Grant(), new Secret("another"));
        Assert.Equal("token-1", await TokenOf(tokens, Grant()));
        tokens.Discard(Grant(), new Secret("token-1"));
        Assert.Equal("token-2", await TokenOf(tokens, Grant()));
    }

    [Fact]
    public async Task A_message_goes_out_by_a_token_that_was_asked_for()
    {
        await using var sink = Sink();
        var (delivery, _) = await DeliverAsync(sink);

        Assert.Equal(DeliveryOutcome.Delivered, delivery.Outcome);
        Assert.Contains($"C: AUTH XOAUTH2 {Convert.ToBase64String("user=robot@here.test\u0001auth=Bearer token-1\u0001\u0001"u8)}", sink.Transcript(0));
    }

    [Fact]
    public async Task Without_a_token_mail_waits_and_nobody_is_connected_to()
    {
        server.Answer = static _ => TokenReply.Refused("invalid_grant", "revoked");
        await using var sink = Sink();
        var (delivery, news) = await DeliverAsync(sink);

        Assert.Equal((DeliveryOutcome.Deferred, "login_failed", "login: no access token: 127.0.0.1: invalid_grant (revoked)"), (delivery.Outcome, delivery.Category, delivery.Reply));
        Assert.Equal(0, sink.Connections);
        Assert.Equal("127.0.0.1: invalid_grant (revoked)", Assert.Single(news));
    }

    private static ScriptedSink Sink() => new(new SinkOptions { Certificate = TestCertificate.Instance, Extensions = ["PIPELINING", "AUTH LOGIN XOAUTH2"] });

    private async Task<(DeliveryEvent Event, List<string> News)> DeliverAsync(ScriptedSink sink)
    {
        var news = new List<string>();
        var options = DeliveryRig.Options(new Route("*", $"smtp://localhost:{sink.Port}?tls=required")
        {
            Login = new ClientLogin(new SaslClientCredentials { User = "robot@here.test" }),
            Grant = Grant(),
            Trusted = [TestCertificate.Instance],
        });
        await using var rig = new DeliveryRig(options, transport: new SmtpDelivery(options, TimeProvider.System, listeners: null, new StsCache(directory: null, TimeProvider.System), loginRefused: (_, words) => news.Add(words)));
        rig.Scheduler.Start();
        await rig.AddAsync("b@there.test");
        return (await rig.Audit.NextAsync<DeliveryEvent>(), news);
    }
}
