using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Postern.Sasl.Client;
using Postern.Sasl.Digest;
using Postern.Sasl.Verifiers;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>RFC 2831 from both sides, as far as qop=auth goes.</summary>
public sealed class DigestMd5Tests
{
    private const string Realm = "mail.example.org";

    [Fact]
    public async Task The_challenge_names_every_realm_escaped_and_a_nonce_of_its_own()
    {
        var context = TestUsers.Context with { DigestSecrets = new Realms("a\"b\\c", "d") };
        var challenge = await ServerOf("DIGEST-MD5", context).AskAsync(null);
        Assert.StartsWith("""realm="a\"b\\c",realm="d",nonce=""", challenge, StringComparison.Ordinal);
        Assert.EndsWith(""",qop="auth",charset=utf-8,algorithm=md5-sess""", challenge, StringComparison.Ordinal);
        Assert.Equal(32, NonceOf(challenge).Length);
        Assert.NotEqual(NonceOf(challenge), NonceOf(await ServerOf("DIGEST-MD5", context).AskAsync(null)));
    }

    [Fact]
    public async Task A_right_response_logs_in_and_is_confirmed()
    {
        var context = TestUsers.Context;
        var (server, said) = await BeginAsync(context);
        var success = await server.SucceedAsync(said.ToString());
        Assert.Equal(new SaslIdentity("lisa", "lisa"), success.Identity);
        Assert.Equal($"rspauth={said.Proof("")}", Text(success.Data));
        Assert.Equal([true], ((TestUsers)context.DigestSecrets!).Proofs);
    }

    [Theory]
    [InlineData("other.example.org", "lisa")]
    [InlineData("evil.example.org", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public async Task A_realm_that_was_offered_has_to_be_named(string? realm, string? user)
    {
        var (server, said) = await BeginAsync();
        var step = await server.StepAsync((said with { Realm = realm }).ToString());
        if (user is null)
            Assert.Contains("realm that was not offered", Assert.IsType<SaslStep.Failure>(step).Reason, StringComparison.Ordinal);
        else
            Assert.Equal(user, Assert.IsType<SaslStep.Success>(step).Identity.AuthorizationId);
    }

    [Theory]
    [InlineData("smtp/mail.example.org", null)]
    [InlineData("SMTP/alias.example.org", null)]
    [InlineData("smtp/mail.example.org/example.org", null)]
    [InlineData("imap/mail.example.org", "not for this service")]
    [InlineData("smtps/mail.example.org", "not for this service")]
    [InlineData("smtp/", "not for this service")]
    [InlineData("smtp", "not for this service")]
    [InlineData("/mail.example.org", "not for this service")]
    public async Task The_digest_is_for_this_service_at_whatever_name(string uri, string? reason)
    {
        var (server, said) = await BeginAsync();
        var step = await server.StepAsync((said with { Uri = uri }).ToString());
        if (reason is null)
            Assert.IsType<SaslStep.Success>(step);
        else
            Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, "lisa", $"the digest is for '{uri}', {reason}"), step);
    }

    [Theory]
    [InlineData("nonce", "other", "the nonce is not")]
    [InlineData("nc", "00000002", "nonce count")]
    [InlineData("nc", "00000000", "nonce count")]
    [InlineData("response", "00000000000000000000000000000000", "wrong password")]
    [InlineData("username", "nobody", "unknown user")]
    [InlineData("username", "", "empty or not a name")]
    [InlineData("username", "\u0007", "empty or not a name")]
    [InlineData("authzid", "\u0007", "empty or not a name")]
    public async Task What_is_not_of_this_exchange_or_not_true_is_one_failure(string directive, string value, string reason)
    {
        var (server, said) = await BeginAsync();
        var failure = await server.FailAsync(Replace(said.ToString(), directive, value));
        Assert.Equal(SaslError.BadCredentials, failure.Error);
        Assert.Contains(reason, failure.Reason, StringComparison.Ordinal);
        Assert.Equal(value.Length == 0 || value == "\u0007" ? null : directive == "username" ? value : "lisa", failure.ClaimedUser);
        Assert.Equal(reason == "wrong password", failure.UserExists);
    }

    [Theory]
    [InlineData("username")]
    [InlineData("nonce")]
    [InlineData("cnonce")]
    [InlineData("nc")]
    [InlineData("digest-uri")]
    [InlineData("response")]
    public async Task A_directive_that_is_missing_or_comes_twice_is_malformed(string directive)
    {
        var (server, said) = await BeginAsync();
        var without = Directive(directive).Replace(said.ToString(), string.Empty);
        Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "a directive is missing or has no such value"), await server.FailAsync(without));
        (server, said) = await BeginAsync();
        Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "not a list of directives"), await server.FailAsync(said + Directive(directive).Match(said.ToString()).Value.ToUpperInvariant()));
    }

    [Theory]
    [InlineData("cnonce", "", "missing or has no such value")]
    [InlineData("digest-uri", "", "missing or has no such value")]
    [InlineData("nc", "1", "missing or has no such value")]
    [InlineData("nc", "000000001", "missing or has no such value")]
    [InlineData("response", "0000000000000000000000000000000", "missing or has no such value")]
    [InlineData("response", "000000000000000000000000000000000", "missing or has no such value")]
    [InlineData("qop", "auth-int", "quality of protection")]
    [InlineData("qop", "auth-conf", "quality of protection")]
    [InlineData("qop", "", "quality of protection")]
    public async Task A_value_that_cannot_be_is_malformed(string directive, string value, string reason)
    {
        var (server, said) = await BeginAsync();
        var failure = await server.FailAsync(Replace(said.ToString(), directive, value));
        Assert.Equal((SaslError.Malformed, null), (failure.Error, failure.ClaimedUser));
        Assert.Contains(reason, failure.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(",cipher=rc4", "quality of protection")]
    [InlineData(",realm=\"other.example.org\"", "more than one realm")]
    [InlineData(",charset=latin-1", "not a list of directives")]
    [InlineData(",x", "not a list of directives")]
    [InlineData(",x=", "not a list of directives")]
    [InlineData(",=x", "not a list of directives")]
    [InlineData(",x=\"", "not a list of directives")]
    [InlineData(",x=\"\\", "not a list of directives")]
    [InlineData(",x=\"\\\"", "not a list of directives")]
    [InlineData(",x=y z", "not a list of directives")]
    [InlineData(",x=y;z=1", "not a list of directives")]
    [InlineData(",x=\"y\"z", "not a list of directives")]
    [InlineData(",x y=1", "not a list of directives")]
    [InlineData(",x=\u007f", "not a list of directives")]
    [InlineData(",x=\u00e9", "not a list of directives")]
    [InlineData(",x@y=1", "not a list of directives")]
    [InlineData(",charset=utf-8,x=\"\u00e9\"", "not a list of directives")]
    public async Task What_follows_has_to_be_right_too(string tail, string reason)
    {
        var (server, said) = await BeginAsync();
        var failure = await server.FailAsync(said + tail);
        Assert.Equal(SaslError.Malformed, failure.Error);
        Assert.Contains(reason, failure.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(",maxbuf=65536,x=\"a\\\"b\\\\c, d\",Y=1")]
    [InlineData(" , ,\t\r\n, x\t= \"y\" \r\n,")]
    [InlineData(",charset=UTF-8")]
    [InlineData(",x=\"\u00e9\"")]
    public async Task What_the_grammar_allows_is_read(string tail)
    {
        var (server, said) = await BeginAsync();
        await server.SucceedAsync(said + tail);
    }

    [Fact]
    public async Task A_nul_is_refused_wherever_it_stands_and_so_is_every_cut()
    {
        var whole = (await BeginAsync()).Said.ToString();
        for (var i = 0; i <= whole.Length; i++)
        {
            var (server, said) = await BeginAsync();
            Assert.Equal(SaslError.Malformed, (await server.FailAsync(said.ToString().Insert(i, "\0"))).Error);
            (server, said) = await BeginAsync();
            if (i < whole.Length - ",qop=auth".Length)
                Assert.IsType<SaslStep.Failure>(await server.StepAsync(said.ToString()[..i]));
        }
    }

    [Fact]
    public async Task A_response_has_less_than_4096_octets()
    {
        var (server, said) = await BeginAsync();
        var start = said + ",x=\"";
        await server.SucceedAsync(start + new string('x', 4095 - start.Length - 1) + "\"");
        (server, said) = await BeginAsync();
        start = said + ",x=\"";
        Assert.Equal(SaslError.Malformed, (await server.FailAsync(start + new string('x', 4096 - start.Length - 1) + "\"")).Error);
    }

    [Theory]
    [InlineData("", "lisa")]
    [InlineData("lisa", "lisa")]
    [InlineData("shared", "shared")]
    [InlineData("bart", null)]
    public async Task The_authorization_identity_is_hashed_and_needs_a_grant(string actAs, string? actsAs)
    {
        var (server, said) = await BeginAsync();
        var step = await server.StepAsync((said with { ActAs = actAs }).ToString());
        if (actsAs is null)
            Assert.Contains("may not act as", Assert.IsType<SaslStep.Failure>(step).Reason, StringComparison.Ordinal);
        else
            Assert.Equal(new SaslIdentity("lisa", actsAs), Assert.IsType<SaslStep.Success>(step).Identity);
        (server, said) = await BeginAsync();
        Assert.Equal("wrong password", (await server.FailAsync(said + ",authzid=\"shared\"")).Reason);
    }

    [Theory]
    [InlineData("gone", "the account is disabled", true)]
    [InlineData("nobody", "unknown user", false)]
    public async Task A_right_proof_of_a_user_that_may_not_log_in_is_none(string user, string reason, bool exists)
    {
        var context = TestUsers.Context;
        var (server, said) = await BeginAsync(context);
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, user, reason, exists), await server.FailAsync((said with { User = user }).ToString()));
        Assert.Equal([false], ((TestUsers)context.DigestSecrets!).Proofs);
        (server, said) = await BeginAsync();
        Assert.Equal(new SaslStep.Failure(SaslError.TemporaryFailure, "down", "down"), await server.FailAsync((said with { User = "down" }).ToString()));
    }

    /// <summary>§2.1.2.1: a user and a password that ISO 8859-1 can write are hashed in it, whatever the charset of the message.</summary>
    [Fact]
    public async Task Both_charsets_are_one_user()
    {
        var context = TestUsers.Context with { DigestSecrets = new Realms(Realm) };
        var (server, said) = await BeginAsync(context);
        said = said with { User = "ren\u00e9", Password = "p\u00e4ss" };
        Assert.Equal("ren\u00e9", (await server.SucceedAsync(said.ToString())).Identity.AuthorizationId);
        (server, said) = await BeginAsync(context);
        said = said with { User = "ren\u00e9", Password = "p\u00e4ss" };
        Assert.Equal("ren\u00e9", (await server.SucceedAsync("charset=utf-8," + Utf8(said.ToString()))).Identity.AuthorizationId);
        (server, said) = await BeginAsync(context);
        Assert.Equal(SaslError.Malformed, (await server.FailAsync("charset=utf-8," + (said with { User = "ren\u00e9" }))).Error);
        (server, said) = await BeginAsync(context);
        Assert.Equal("charset", (await server.SucceedAsync((said with { User = "charset", Password = "p\u00e4ss" }).ToString())).Identity.AuthorizationId);
    }

    [Theory]
    [InlineData("nonce=\"x\",algorithm=md5-sess", "x", "")]
    [InlineData("realm=\"a\",realm=\"b\",nonce=\"x\",qop=\"auth-int, AUTH\",algorithm=MD5-sess", "x", ",realm=\"a\"")]
    [InlineData("realm=\"a\\\"\\\\b\",nonce=\"x\",qop=auth,algorithm=md5-sess,stale=true,maxbuf=1", "x", ",realm=\"a\\\"\\\\b\"")]
    public void A_client_takes_what_the_grammar_allows_and_the_first_realm(string challenge, string nonce, string realm)
    {
        using var client = ClientOf("DIGEST-MD5", Lisa);
        Assert.Null(client.Say(null));
        Assert.Matches($"^username=\"lisa\"{Regex.Escape(realm)},nonce=\"{nonce}\",nc=00000001,cnonce=\"[A-Za-z0-9+/]{{32}}\",digest-uri=\"smtp/mail.example.org\",response=[0-9a-f]{{32}},qop=auth$", client.Say(challenge));
        Assert.False(client.MayTrustSuccess);
    }

    [Theory]
    [InlineData(null, "sent no challenge")]
    [InlineData("", "malformed")]
    [InlineData("algorithm=md5-sess", "malformed")]
    [InlineData("nonce=\"\",algorithm=md5-sess", "malformed")]
    [InlineData("nonce=\"x\",nonce=\"x\",algorithm=md5-sess", "malformed")]
    [InlineData("nonce=\"\u00e9\",algorithm=md5-sess,charset=utf-8", "malformed")]
    [InlineData("nonce=\"x\",algorithm=md5-sess,charset=x", "malformed")]
    [InlineData("nonce=\"x\"", "another algorithm")]
    [InlineData("nonce=\"x\",algorithm=md5", "another algorithm")]
    [InlineData("nonce=\"x\",algorithm=md5-sess,qop=\"auth-int,auth-conf\"", "security layer")]
    [InlineData("nonce=\"x\",algorithm=md5-sess,qop=\"\"", "security layer")]
    public void A_client_cancels_what_it_cannot_answer(string? challenge, string reason)
    {
        using var client = ClientOf("DIGEST-MD5", Lisa);
        client.Say(null);
        Assert.Contains(reason, client.Cancel(challenge), StringComparison.Ordinal);
        Assert.False(client.MayTrustSuccess);
    }

    [Fact]
    public void A_challenge_has_less_than_2048_octets()
    {
        const string Start = "nonce=\"x\",algorithm=md5-sess,x=";
        using var client = ClientOf("DIGEST-MD5", Lisa);
        client.Say(null);
        Assert.NotNull(client.Say(Start + new string('x', 2047 - Start.Length)));
        Assert.Contains("too much", client.Cancel(new string('x', 2048)), StringComparison.Ordinal);
        using var other = ClientOf("DIGEST-MD5", Lisa);
        other.Say(null);
        Assert.Contains("too much", other.Cancel(Start + new string('x', 2048 - Start.Length)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_speaks_the_charset_that_the_server_offers()
    {
        var challenge = "realm=\"a\",nonce=\"x\",algorithm=md5-sess";
        Assert.Contains("username=\"ren\u00e9\"", Answer("ren\u00e9", challenge), StringComparison.Ordinal);
        Assert.StartsWith("charset=utf-8,username=\"" + Utf8("ren\u00e9"), Answer("ren\u00e9", challenge + ",charset=utf-8"), StringComparison.Ordinal);
        Assert.StartsWith("charset=utf-8,username=\"" + Utf8("\u03b1"), Answer("\u03b1", challenge + ",charset=utf-8"), StringComparison.Ordinal);
        Assert.Null(Answer("\u03b1", challenge));
        Assert.Null(Answer("lisa", challenge, actAs: "ren\u00e9"));
        Assert.Null(Answer("lisa", challenge.Replace("\"a\"", "\"\u00e9\"", StringComparison.Ordinal)));
        Assert.Contains(",authzid=\"a\\\"b\\\\c\"", Answer("lisa", challenge, actAs: "a\"b\\c"), StringComparison.Ordinal);
        Assert.Contains(",realm=\"mine\"", Answer("lisa", challenge, realm: "mine"), StringComparison.Ordinal);

        static string? Answer(string user, string challenge, string actAs = "", string? realm = null)
        {
            using var client = ClientOf("DIGEST-MD5", Lisa with { User = user, AuthorizationId = actAs, Realm = realm });
            client.Say(null);
            return client.Next(Encoding.Latin1.GetBytes(challenge)) is SaslClientStep.Response { Data: var data } ? Text(data) : null;
        }
    }

    [Theory]
    [InlineData("rspauth=00000000000000000000000000000000")]
    [InlineData("")]
    [InlineData(null)]
    public void A_server_that_does_not_prove_itself_is_not_believed(string? challenge)
    {
        using var client = ClientOf("DIGEST-MD5", Lisa);
        client.Say(null);
        client.Say("nonce=\"x\",algorithm=md5-sess");
        Assert.NotEmpty(client.Cancel(challenge));
        Assert.False(client.MayTrustSuccess);
    }

    private static SaslClientCredentials Lisa { get; } = new() { User = "lisa", Password = new Secret("pencil"), Host = Realm };

    private static async Task<(ISaslExchange Server, Response Said)> BeginAsync(SaslContext? context = null)
    {
        var server = ServerOf("DIGEST-MD5", context);
        return (server, new Response(NonceOf(await server.AskAsync(null))));
    }

    private static string NonceOf(string challenge) => challenge.Split("nonce=\"")[1].Split('"')[0];

    private static Regex Directive(string name) => new($"(?<=^|,){name}=(\"[^\"]*\"|[^,]*)(,|$)", RegexOptions.None, TimeSpan.FromSeconds(30));

    private static string Replace(string response, string name, string value) =>
        Directive(name).IsMatch(response) ? Directive(name).Replace(response, $"{name}=\"{value}\"$2") : $"{response},{name}=\"{value}\"";

    /// <summary>A digest-response, computed here by the text of §2.1.2.1.</summary>
    private sealed record Response(string Nonce)
    {
        public string User { get; init; } = "lisa";

        public string Password { get; init; } = "pencil";

        public string? Realm { get; init; } = DigestMd5Tests.Realm;

        public string Uri { get; init; } = "smtp/mail.example.org";

        public string ActAs { get; init; } = string.Empty;

        public string Proof(string method)
        {
            var secret = MD5.HashData(Encoding.Latin1.GetBytes($"{User}:{Realm}:{Password}"));
            byte[] first = [.. secret, .. Encoding.ASCII.GetBytes($":{Nonce}:cnonce{(ActAs.Length > 0 ? ":" + ActAs : "")}")];
            return Hex($"{Convert.ToHexStringLower(MD5.HashData(first))}:{Nonce}:00000001:cnonce:auth:{Hex($"{method}:{Uri}")}");
        }

        public override string ToString() =>
            $"username=\"{User}\",{(Realm is null ? "" : $"realm=\"{Realm}\",")}nonce=\"{Nonce}\",cnonce=\"cnonce\",nc=00000001,digest-uri=\"{Uri}\",response={Proof("AUTHENTICATE")}{(ActAs.Length > 0 ? $",authzid=\"{ActAs}\"" : "")},qop=auth";

        private static string Hex(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.Latin1.GetBytes(text)));
    }

    /// <summary>Everybody is there, with one password.</summary>
    private sealed class Realms(params string[] realms) : IDigestSecrets
    {
        IReadOnlyList<string> IDigestSecrets.Realms => realms;

        public ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) =>
            new(new LoginAnswer.Found<SharedSecret>(user, new(DigestFunctions.Secret(user, realm, "p\u00e4ss"))));
    }
}
