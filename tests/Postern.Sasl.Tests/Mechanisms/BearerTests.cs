using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>OAUTHBEARER (RFC 7628) and XOAUTH2: one message, and a dance where it is refused.</summary>
public sealed class BearerTests
{
    private const string Good = "n,a=lisa,\u0001host=mail.example.org\u0001port=587\u0001auth=Bearer good-token\u0001\u0001";

    private const string GoodX = "user=lisa\u0001auth=Bearer good-token\u0001\u0001";

    [Theory]
    [InlineData("")]
    [InlineData("n")]
    [InlineData("n,\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("F,n,,\u0001auth=Bearer good-token\u0001\u0001")]
    public async Task Without_a_header_it_is_malformed(string message)
    {
        var failure = await ServerOf("OAUTHBEARER").FailAsync(message);
        Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "the GS2 header is malformed"), failure);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\u0001")]
    [InlineData("\u0001\u0001")]
    [InlineData("auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001auth=Bearer good-token")]
    [InlineData("\u0001auth=Bearer good-token\u0001")]
    [InlineData("\u0001auth=Bearer good-token\u0001\u0001x")]
    [InlineData("\u0001auth=Bearer good-token\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001auth=Basic Z29vZA==\u0001\u0001")]
    [InlineData("\u0001auth=Bearer\u0001\u0001")]
    [InlineData("\u0001host=x\u0001\u0001")]
    [InlineData("\u0001authx=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001Auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001auth\u0001\u0001")]
    [InlineData("\u0001=x\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001a_b=x\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001a1=x\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001host=\0\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001host=\u007f\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("\u0001host=\u001f\u0001auth=Bearer good-token\u0001\u0001")]
    public async Task Pairs_that_break_the_grammar_or_hold_no_bearer_token_are_malformed(string pairs) =>
        Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "the key/value pairs are malformed, or hold no bearer token"), await ServerOf("OAUTHBEARER").FailAsync("n,," + pairs));

    [Theory]
    [InlineData("n,,\u0001auth=Bearer good-token\u0001\u0001", "lisa")]
    [InlineData("y,a=lisa,\u0001auth=bearer   good-token \u0001\u0001", "lisa")]
    [InlineData("n,a=shared,\u0001x=\t\r\n ~!\u0001auth=Bearer good-token\u0001mac=\u0001\u0001", "shared")]
    public async Task A_good_token_logs_in(string message, string actsAs) =>
        Assert.Equal(new SaslIdentity("lisa", actsAs), (await ServerOf("OAUTHBEARER").SucceedAsync(message)).Identity);

    [Fact]
    public async Task It_binds_to_no_channel_and_the_client_speaks_first()
    {
        Assert.Equal("this mechanism binds to no channel", (await ServerOf("OAUTHBEARER").FailAsync(Good.Replace("n,", "p=tls-server-end-point,", StringComparison.Ordinal))).Reason);
        foreach (var (name, message) in new[] { ("OAUTHBEARER", Good), ("XOAUTH2", GoodX) })
        {
            var server = ServerOf(name);
            Assert.Equal("", await server.AskAsync(null));
            await server.SucceedAsync(message);
        }
    }

    [Theory]
    [InlineData("OAUTHBEARER", "n,a=lisa,\u0001x=", "\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("XOAUTH2", "user=", "\u0001auth=Bearer good-token\u0001\u0001")]
    public async Task Twelve_kibibytes_are_read_and_no_octet_more(string name, string start, string end)
    {
        Assert.IsNotType<SaslStep.Failure>(await ServerOf(name).StepAsync(start + new string('x', (12 * 1024) - start.Length - end.Length) + end));
        Assert.Equal(SaslError.Malformed, (await ServerOf(name).FailAsync(start + new string('x', (12 * 1024) + 1 - start.Length - end.Length) + end)).Error);
        Assert.Equal(SaslError.Malformed, (await ServerOf(name).FailAsync(start + "\u00e9" + end)).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("user=lisa")]
    [InlineData("user=lisa\u0001auth=Bearer good-token")]
    [InlineData("user=lisa\u0001auth=Bearer good-token\u0001")]
    [InlineData("user=lisa\u0001auth=Bearer good-token\u0001\u0001\u0001")]
    [InlineData("user=lisa\u0001auth=Bearer good-token\u0001x\u0001")]
    [InlineData("user=lisa\u0001auth=Bearer good-token\u0001\u0001x")]
    [InlineData("user=lisa\u0001auth=Basic x\u0001\u0001")]
    [InlineData("auth=Bearer good-token\u0001user=lisa\u0001\u0001")]
    [InlineData("User=lisa\u0001auth=Bearer good-token\u0001\u0001")]
    public async Task Xoauth2_has_one_form(string message) =>
        Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "not user=, auth=Bearer and two separators"), await ServerOf("XOAUTH2").FailAsync(message));

    [Theory]
    [InlineData("XOAUTH2", "user=\u0001auth=Bearer good-token\u0001\u0001", "the user name is empty or not a name")]
    [InlineData("XOAUTH2", "user=\u0007\u0001auth=Bearer good-token\u0001\u0001", "the user name is empty or not a name")]
    [InlineData("OAUTHBEARER", "n,a=\u0007,\u0001auth=Bearer good-token\u0001\u0001", "the authorization identity is not a name")]
    public async Task A_name_that_saslprep_prohibits_is_nobodys(string name, string message, string reason) =>
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, null, reason), await ServerOf(name).FailAsync(message));

    /// <summary>RFC 7628 §3.2.3: whatever the client answers to the reason, the exchange has failed.</summary>
    [Theory]
    [InlineData("OAUTHBEARER", "n,a=lisa,\u0001auth=Bearer stale\u0001\u0001", "lisa", "expired", "mail", false)]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer stale\u0001\u0001", null, "expired", "mail", false)]
    [InlineData("OAUTHBEARER", "n,a=lisa,\u0001auth=\u0001\u0001", "lisa", "the token is empty, or holds what no token can", null, false)]
    [InlineData("OAUTHBEARER", "n,a=lisa,\u0001auth=Bearer \u0001\u0001", "lisa", "the token is empty, or holds what no token can", null, false)]
    [InlineData("OAUTHBEARER", "n,a=lisa,\u0001auth=Bearer good token\u0001\u0001", "lisa", "the token is empty, or holds what no token can", null, false)]
    [InlineData("OAUTHBEARER", "n,a=bart,\u0001auth=Bearer good-token\u0001\u0001", "lisa", "the user proved itself, but may not act as the authorization identity it asked for: no grant", null, true)]
    [InlineData("XOAUTH2", "user=lisa\u0001auth=Bearer stale\u0001\u0001", "lisa", "expired", "mail", false)]
    [InlineData("XOAUTH2", "user=lisa\u0001auth=Bearer \u0001\u0001", "lisa", "the token is empty, or holds what no token can", null, false)]
    [InlineData("XOAUTH2", "user=bart\u0001auth=Bearer good-token\u0001\u0001", "lisa", "the token speaks for another user than the one named", null, true)]
    [InlineData("XOAUTH2", "user=shared\u0001auth=Bearer good-token\u0001\u0001", "lisa", "the token speaks for another user than the one named", null, true)]
    public async Task A_refusal_says_why_and_fails_after_any_answer(string name, string message, string? claimed, string reason, string? scope, bool exists)
    {
        var expected = new SaslStep.Failure(SaslError.BadCredentials, claimed, reason, exists);
        foreach (var answer in new[] { "\u0001", "", "*", message, Good })
        {
            var server = ServerOf(name);
            Assert.Equal($"{{\"status\":\"invalid_token\",\"schemes\":\"bearer\"{(scope is null ? "" : $",\"scope\":\"{scope}\"")}}}", await server.AskAsync(message));
            Assert.Equal(expected, await server.FailAsync(answer));
        }

        var silent = ServerOf(name);
        await silent.AskAsync(message);
        Assert.Equal(expected, await silent.StepAsync(null));
    }

    [Theory]
    [InlineData("OAUTHBEARER", "n,a=lisa,\u0001auth=Bearer down-token\u0001\u0001", "lisa")]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=Bearer down-token\u0001\u0001", null)]
    [InlineData("XOAUTH2", "user=lisa\u0001auth=Bearer down-token\u0001\u0001", "lisa")]
    public async Task A_verifier_that_is_down_refuses_nothing(string name, string message, string? claimed) =>
        Assert.Equal(new SaslStep.Failure(SaslError.TemporaryFailure, claimed, "down"), await ServerOf(name).FailAsync(message));

    [Theory]
    [InlineData("a\"b")]
    [InlineData("a\\b")]
    [InlineData("a\nb")]
    [InlineData("\u00e9")]
    public async Task A_scope_that_json_would_have_to_escape_is_left_out(string scope)
    {
        var context = new SaslContext { Tokens = new Verdict(new LoginAnswer.NoMatch("expired", UserExists: true) { ClaimedUser = "bart", Scope = scope }) };
        var server = ServerOf("OAUTHBEARER", context);
        Assert.Equal("{\"status\":\"invalid_token\",\"schemes\":\"bearer\"}", await server.AskAsync(Good));
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, "bart", "expired", UserExists: true), await server.FailAsync("\u0001"));
    }

    [Fact]
    public async Task A_spelling_that_the_store_takes_for_the_user_is_the_user()
    {
        var context = TestUsers.Context with { Tokens = new Verdict(new LoginAnswer.Match("lisa")), Grants = new Caseless() };
        Assert.Equal(new SaslIdentity("lisa", "lisa"), (await ServerOf("XOAUTH2", context).SucceedAsync(GoodX.Replace("lisa", "LISA", StringComparison.Ordinal))).Identity);
        Assert.StartsWith("{", await ServerOf("XOAUTH2", context with { Grants = null }).AskAsync(GoodX.Replace("lisa", "LISA", StringComparison.Ordinal)), StringComparison.Ordinal);
        var none = ServerOf("OAUTHBEARER", context with { Tokens = new Verdict(null!) });
        await none.AskAsync(Good);
        Assert.Equal("the verifier gave no answer", (await none.FailAsync("")).Reason);
    }

    [Theory]
    [InlineData("OAUTHBEARER", "n,a=down,\u0001auth=Bearer good-token\u0001\u0001")]
    [InlineData("XOAUTH2", "user=down\u0001auth=Bearer good-token\u0001\u0001")]
    public async Task Grants_that_cannot_be_read_refuse_nothing(string name, string message)
    {
        var context = new SaslContext { Tokens = new Verdict(new LoginAnswer.Match("lisa")), Grants = new Caseless() };
        Assert.Equal(new SaslStep.Failure(SaslError.TemporaryFailure, "lisa", "down"), await ServerOf(name, context).FailAsync(message));
    }

    [Fact]
    public void Clients_write_what_servers_read()
    {
        var lisa = new SaslClientCredentials { User = "lisa", Token = new Secret("good-token") };
        Assert.Equal("n,a=lisa,\u0001auth=Bearer good-token\u0001\u0001", ClientOf("OAUTHBEARER", lisa).Say(null));
        Assert.Equal("n,a=x=2Cy=3D,\u0001host=h\u0001port=587\u0001auth=Bearer good-token\u0001\u0001", ClientOf("OAUTHBEARER", lisa with { AuthorizationId = "x,y=", Host = "h", Port = 587 }).Say(null));
        Assert.Equal("n,,\u0001auth=Bearer good-token\u0001\u0001", ClientOf("OAUTHBEARER", lisa with { User = "" }).Say(null));
        Assert.Equal(GoodX, ClientOf("XOAUTH2", lisa).Say(null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\u0001\u0001")]
    [InlineData("a\r\n")]
    [InlineData("\u00e9")]
    public void A_token_that_would_bring_its_own_separators_is_never_sent(string token)
    {
        var lisa = new SaslClientCredentials { User = "lisa", Token = new Secret(token) };
        Assert.Null(OAuthBearerClient.Instance.TryStart(lisa));
        Assert.Null(XOAuth2Client.Instance.TryStart(lisa));
    }

    [Fact]
    public void Clients_need_a_token_and_names_that_can_be_written()
    {
        var lisa = new SaslClientCredentials { User = "lisa", Token = new Secret("good-token") };
        Assert.Null(OAuthBearerClient.Instance.TryStart(lisa with { Token = null }));
        Assert.Null(OAuthBearerClient.Instance.TryStart(lisa with { User = "a\0" }));
        Assert.Null(OAuthBearerClient.Instance.TryStart(lisa with { AuthorizationId = "a\0" }));
        Assert.Null(XOAuth2Client.Instance.TryStart(lisa with { Token = null }));
        Assert.Null(XOAuth2Client.Instance.TryStart(lisa with { User = "" }));
        Assert.Null(XOAuth2Client.Instance.TryStart(lisa with { User = "a\u0001" }));
    }

    [Theory]
    [InlineData("OAUTHBEARER", "\u0001")]
    [InlineData("XOAUTH2", "")]
    public void A_client_acknowledges_a_refusal_once_and_then_says_what_it_was(string name, string acknowledgement)
    {
        using var client = ClientOf(name, new SaslClientCredentials { User = "lisa", Token = new Secret("good-token") });
        Assert.False(client.MayTrustSuccess);
        client.Say(null);
        Assert.True(client.MayTrustSuccess);
        Assert.Equal(acknowledgement, client.Say("{\"status\":\"\u0007\"}"));
        Assert.False(client.MayTrustSuccess);
        Assert.Equal("the server refused the token: {\"status\":\"?\"}", client.Cancel("again"));
        Assert.False(client.MayTrustSuccess);
    }

    private sealed class Verdict(LoginAnswer answer) : ITokenVerifier
    {
        public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) => new(answer);
    }

    private sealed class Caseless : IAuthorizationGrants
    {
        public ValueTask<LoginAnswer> ActAsAsync(string user, string authorizationId, CancellationToken ct) =>
            new(authorizationId == "down" ? new LoginAnswer.Unavailable("down")
                : string.Equals(user, authorizationId, StringComparison.OrdinalIgnoreCase) ? new LoginAnswer.Match(user)
                : new LoginAnswer.NoMatch("no grant", UserExists: false));
    }
}
