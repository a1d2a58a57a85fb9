using System.Security.Cryptography;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>RFC 5802 from the server's side: what is not the grammar is malformed, what is not true is one failure, and an operator reads why.</summary>
public sealed class ScramServerTests
{
    private const string Nonce = "0123456789";

    [Theory]
    [InlineData("", "GS2 header")]
    [InlineData("n", "GS2 header")]
    [InlineData("n,", "GS2 header")]
    [InlineData("n,n=lisa,r=abc", "GS2 header")]
    [InlineData("N,,n=lisa,r=abc", "GS2 header")]
    [InlineData("x,,n=lisa,r=abc", "GS2 header")]
    [InlineData("n=,,n=lisa,r=abc", "GS2 header")]
    [InlineData("p,,n=lisa,r=abc", "GS2 header")]
    [InlineData("p=,,n=lisa,r=abc", "GS2 header")]
    [InlineData("p=tls_unique,,n=lisa,r=abc", "GS2 header")]
    [InlineData("n,lisa,n=lisa,r=abc", "GS2 header")]
    [InlineData("n,a=,n=lisa,r=abc", "GS2 header")]
    [InlineData("n,a=x=y,n=lisa,r=abc", "GS2 header")]
    [InlineData("n,a=x=2c,n=lisa,r=abc", "GS2 header")]
    [InlineData("n,b=x,n=lisa,r=abc", "GS2 header")]
    [InlineData("n,,m=x,n=lisa,r=abc", "mandatory extension")]
    [InlineData("n,,", "out of order")]
    [InlineData("n,,n=lisa", "out of order")]
    [InlineData("n,,r=abc,n=lisa", "out of order")]
    [InlineData("n,,n=lisa,x=1,r=abc", "out of order")]
    [InlineData("n,,N=lisa,r=abc", "out of order")]
    [InlineData("n,,n=lisa=,r=abc", "saslname")]
    [InlineData("n,,n=li=2csa,r=abc", "saslname")]
    [InlineData("n,,n=li=3dsa,r=abc", "saslname")]
    [InlineData("n,,n=li=41sa,r=abc", "saslname")]
    [InlineData("n,,n=lisa,r=", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=a b", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=a\u007f", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=a\u001f", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=abc,", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=abc,x", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=abc,x=", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=abc,xy1", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=abc,1=1", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=abc,m=1", "nonce or an extension")]
    [InlineData("n,,n=lisa,r=abc,r=1", "nonce or an extension")]
    public async Task A_first_message_that_breaks_the_grammar_is_malformed(string message, string reason)
    {
        var failure = await ServerOf("SCRAM-SHA-256").FailAsync(message);
        Assert.Equal((SaslError.Malformed, null, false), (failure.Error, failure.ClaimedUser, failure.UserExists));
        Assert.Contains(reason, failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_optional_extension_is_ignored_and_the_longest_nonce_comes_back()
    {
        Assert.StartsWith("r=abc", await ServerOf("SCRAM-SHA-256").AskAsync("n,,n=lisa,r=abc,x=1,y=2"), StringComparison.Ordinal);
        var nonce = new string('~', 1023) + "!";
        Assert.StartsWith($"r={nonce}", await ServerOf("SCRAM-SHA-256").AskAsync($"n,,n=lisa,r={nonce}"), StringComparison.Ordinal);
        Assert.Contains("nonce", (await ServerOf("SCRAM-SHA-256").FailAsync($"n,,n=lisa,r={nonce}x")).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_speaks_first()
    {
        var server = ServerOf("SCRAM-SHA-256");
        Assert.Empty(await server.AskAsync(null));
        Assert.StartsWith("r=abc", await server.AskAsync("n,,n=lisa,r=abc"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eight_kibibytes_are_read_and_no_octet_more_and_no_nul_anywhere()
    {
        const string Start = "n,,n=lisa,r=abc,x=";
        Assert.StartsWith("r=abc", await ServerOf("SCRAM-SHA-1").AskAsync(Start + new string('x', 8192 - Start.Length)), StringComparison.Ordinal);
        Assert.Contains("too long", (await ServerOf("SCRAM-SHA-1").FailAsync(Start + new string('x', 8193 - Start.Length))).Reason, StringComparison.Ordinal);
        const string Message = "n,a=lisa,n=lisa,r=abc,x=1";
        for (var i = 0; i <= Message.Length; i++)
            Assert.Equal(SaslError.Malformed, (await ServerOf("SCRAM-SHA-1").FailAsync(Message.Insert(i, "\0"))).Error);
        Assert.Equal(SaslError.Malformed, (await ServerOf("SCRAM-SHA-1").FailAsync("n,,n=lis\u00e9,r=abc")).Error);
    }

    [Theory]
    [InlineData("n,,n=,r=abc")]
    [InlineData("n,,n=\u0007,r=abc")]
    [InlineData("n,a=\u0007,n=lisa,r=abc")]
    public async Task A_name_that_saslprep_prohibits_is_nobodys(string message)
    {
        var failure = await ServerOf("SCRAM-SHA-256").FailAsync(message);
        Assert.Equal((SaslError.BadCredentials, null, "the user name is empty or not a name"), (failure.Error, failure.ClaimedUser, failure.Reason));
    }

    [Fact]
    public async Task A_name_has_255_characters_at_the_most()
    {
        Assert.StartsWith("r=abc", await ServerOf("SCRAM-SHA-256").AskAsync($"n,,n={new string('x', 255)},r=abc"), StringComparison.Ordinal);
        Assert.Equal(SaslError.BadCredentials, (await ServerOf("SCRAM-SHA-256").FailAsync($"n,,n={new string('x', 256)},r=abc")).Error);
    }

    [Theory]
    [InlineData("c=biws,r={0}", "final message")]
    [InlineData("c=biws,p={1}", "final message")]
    [InlineData("r={0},c=biws,p={1}", "final message")]
    [InlineData("c=biws,x=1,r={0},p={1}", "final message")]
    [InlineData("c=,r={0},p={1}", "final message")]
    [InlineData("c=biw,r={0},p={1}", "final message")]
    [InlineData("c=bi\u00e9s,r={0},p={1}", "too long, or not UTF-8")]
    [InlineData("c=biws,r={0},p=", "final message")]
    [InlineData("c=biws,r={0},p=x", "final message")]
    [InlineData("c=biws,r={0},p={1},x=1", "final message")]
    [InlineData("c=biws,r={0},p={1},p={1}", "final message")]
    [InlineData("c=biws,r={0},m=1,p={1}", "final message")]
    [InlineData("c=biws,r={0},,p={1}", "final message")]
    [InlineData("p={1}", "final message")]
    [InlineData("", "final message")]
    public async Task A_final_message_that_breaks_the_grammar_is_malformed(string final, string reason)
    {
        var server = ServerOf("SCRAM-SHA-256");
        var nonce = NonceOf(await server.AskAsync("n,,n=lisa,r=abc"));
        var failure = await server.FailAsync(string.Format(null, final, nonce, Convert.ToBase64String(new byte[32])));
        Assert.Equal(SaslError.Malformed, failure.Error);
        Assert.Contains(reason, failure.Reason, StringComparison.Ordinal);
        Assert.Equal(reason[0] == 'f' ? "lisa" : null, failure.ClaimedUser);
    }

    [Fact]
    public async Task An_extension_in_the_final_message_is_signed_and_ignored()
    {
        var (server, serverFirst) = await BeginAsync("n,,");
        Assert.Equal("lisa", (await server.SucceedAsync(Final(serverFirst, extension: ",x=1"))).Identity.AuthorizationId);
    }

    [Theory]
    [InlineData("biws", "r", 0, "nonce")]
    [InlineData("eSws", "", 0, "channel binding")]
    [InlineData("biwsYQ==", "", 0, "channel binding")]
    [InlineData("biws", "", 1, "wrong password")]
    public async Task What_is_not_of_this_exchange_fails_and_an_operator_reads_why(string binding, string nonceTail, int proofBit, string reason)
    {
        var (server, serverFirst) = await BeginAsync("n,,");
        var failure = await server.FailAsync(Final(serverFirst, binding: binding, nonceTail: nonceTail, proofBit: proofBit));
        Assert.Equal((SaslError.BadCredentials, "lisa", true), (failure.Error, failure.ClaimedUser, failure.UserExists));
        Assert.Contains(reason, failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proof_of_another_length_is_a_wrong_password()
    {
        foreach (var length in new[] { 1, 20, 31, 33, 64, 100 })
        {
            var server = ServerOf("SCRAM-SHA-256");
            var nonce = NonceOf(await server.AskAsync("n,,n=lisa,r=abc"));
            Assert.Equal("wrong password", (await server.FailAsync($"c=biws,r={nonce},p={Convert.ToBase64String(new byte[length])}")).Reason);
        }
    }

    [Theory]
    [InlineData("nobody", "unknown user", false)]
    [InlineData("gone", "the account is disabled", true)]
    public async Task Only_the_audit_trail_tells_the_ways_to_fail_apart(string user, string reason, bool exists)
    {
        var (server, serverFirst) = await BeginAsync("n,,", user);
        var failure = await server.FailAsync(Final(serverFirst, user: user));
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, user, reason, exists), failure);
    }

    [Fact]
    public async Task A_store_that_is_down_ends_it_before_a_challenge()
    {
        var failure = await ServerOf("SCRAM-SHA-256").FailAsync("n,,n=down,r=abc");
        Assert.Equal(new SaslStep.Failure(SaslError.TemporaryFailure, "down", "down"), failure);
    }

    [Theory]
    [InlineData("lisa", 0, true)]
    [InlineData("lisa", 1, false)]
    [InlineData("nobody", 0, false)]
    [InlineData("gone", 0, false)]
    public async Task The_store_hears_of_each_proof_once_and_of_success_only_where_it_was_one(string user, int proofBit, bool isProven)
    {
        var context = TestUsers.Context;
        var (server, serverFirst) = await BeginAsync("n,,", user, context);
        var heard = ((TestUsers)context.ScramSecrets!).Proofs;
        Assert.Empty(heard);
        await server.StepAsync(Final(serverFirst, user: user, proofBit: proofBit));
        Assert.Equal([isProven], heard);
    }

    [Fact]
    public async Task A_stale_nonce_or_a_foreign_channel_is_no_proof_for_the_store()
    {
        foreach (var (binding, tail) in new[] { ("biws", "x"), ("eSws", "") })
        {
            var context = TestUsers.Context;
            var (server, serverFirst) = await BeginAsync("n,,", context: context);
            await server.FailAsync(Final(serverFirst, binding: binding, nonceTail: tail));
            Assert.Equal([false], ((TestUsers)context.ScramSecrets!).Proofs);
        }
    }

    [Fact]
    public async Task Plus_and_header_must_agree()
    {
        Assert.Contains("without channel binding", (await ServerOf("SCRAM-SHA-256-PLUS").FailAsync("n,,n=lisa,r=abc")).Reason, StringComparison.Ordinal);
        Assert.Contains("without channel binding", (await ServerOf("SCRAM-SHA-256-PLUS").FailAsync("y,,n=lisa,r=abc")).Reason, StringComparison.Ordinal);
        var outside = await ServerOf("SCRAM-SHA-256").FailAsync("p=tls-server-end-point,,n=lisa,r=abc");
        Assert.Equal(SaslError.Malformed, outside.Error);
        Assert.Contains("outside of a -PLUS mechanism", outside.Reason, StringComparison.Ordinal);
        var foreign = await ServerOf("SCRAM-SHA-256-PLUS").FailAsync("p=tls-unique,,n=lisa,r=abc");
        Assert.Equal(SaslError.BadCredentials, foreign.Error);
        Assert.Contains("'tls-unique' cannot be computed", foreign.Reason, StringComparison.Ordinal);
        Assert.StartsWith("r=abc", await ServerOf("SCRAM-SHA-256-PLUS").AskAsync("p=tls-server-end-point,,n=lisa,r=abc"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_could_bind_is_believed_where_no_plus_was_on_offer()
    {
        var (server, serverFirst) = await BeginAsync("y,,");
        await server.SucceedAsync(Final(serverFirst, binding: "eSws"));
        Assert.Equal(SaslError.BadCredentials, (await ServerOf("SCRAM-SHA-256", TestUsers.Context with { OffersChannelBinding = true }).FailAsync("y,,n=lisa,r=abc")).Error);
        Assert.StartsWith("r=abc", await ServerOf("SCRAM-SHA-256", TestUsers.Context with { OffersChannelBinding = true }).AskAsync("n,,n=lisa,r=abc"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "lisa")]
    [InlineData("a=lisa", "lisa")]
    [InlineData("a=shared", "shared")]
    [InlineData("a=bart", null)]
    [InlineData("a=sha=2Cred", null)]
    public async Task The_authorization_identity_is_bound_and_needs_a_grant(string authorization, string? actsAs)
    {
        var header = $"n,{authorization},";
        var (server, serverFirst) = await BeginAsync(header);
        var step = await server.StepAsync(Final(serverFirst, binding: Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(header))));
        if (actsAs is null)
            Assert.Contains("may not act as", Assert.IsType<SaslStep.Failure>(step).Reason, StringComparison.Ordinal);
        else
            Assert.Equal(new SaslIdentity("lisa", actsAs), Assert.IsType<SaslStep.Success>(step).Identity);
    }

    [Fact]
    public void It_needs_secrets_of_its_kind_and_plus_needs_a_channel()
    {
        Assert.Null(ScramMechanism.Sha256Plus.TryStart(TestUsers.Context with { Channel = null }));
        Assert.NotNull(ScramMechanism.Sha256.TryStart(TestUsers.Context with { Channel = null }));
        Assert.Null(ScramMechanism.Sha1.TryStart(TestUsers.Context with { ScramSecrets = new NoSha1() }));
        Assert.NotNull(ScramMechanism.Sha512.TryStart(TestUsers.Context with { ScramSecrets = new NoSha1() }));
        Assert.All(SaslMechanisms.All.OfType<ScramMechanism>(), static m => Assert.Equal(m.Name.EndsWith("-PLUS", StringComparison.Ordinal), m.IsPlus));
    }

    private static async Task<(ISaslExchange Server, string ServerFirst)> BeginAsync(string header, string user = "lisa", SaslContext? context = null)
    {
        var server = ServerOf("SCRAM-SHA-256", context);
        return (server, await server.AskAsync($"{header}n={user},r={Nonce}"));
    }

    /// <summary>client-final-message with the password <c>pencil</c>, computed here by the text of RFC 5802 §3.</summary>
    private static string Final(string serverFirst, string user = "lisa", string binding = "biws", string nonceTail = "", string extension = "", int proofBit = 0)
    {
        var parts = serverFirst.Split(',');
        var iterations = int.Parse(parts[2][2..], null);
        var salted = Rfc2898DeriveBytes.Pbkdf2("pencil", Base64(parts[1][2..]), iterations, HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        var withoutProof = $"c={binding},r={parts[0][2..]}{nonceTail}{extension}";
        var signature = HMACSHA256.HashData(SHA256.HashData(clientKey), System.Text.Encoding.ASCII.GetBytes($"n={user},r={Nonce},{serverFirst},{withoutProof}"));
        for (var i = 0; i < clientKey.Length; i++)
            clientKey[i] ^= signature[i];
        clientKey[^1] ^= (byte)proofBit;
        return $"{withoutProof},p={Convert.ToBase64String(clientKey)}";
    }

    private static string NonceOf(string serverFirst) => serverFirst.Split(',')[0][2..];

    private sealed class NoSha1 : IScramSecrets
    {
        public ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) => new(new LoginAnswer.NoMatch("unknown user", UserExists: false));

        public bool Serves(HashAlgorithmName algorithm) => algorithm != HashAlgorithmName.SHA1;
    }
}
