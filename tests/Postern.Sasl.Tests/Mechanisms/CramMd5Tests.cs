using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Client;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

public sealed class CramMd5Tests
{
    private const string Zeros = "00000000000000000000000000000000";

    [Fact]
    public async Task A_challenge_is_a_message_id_of_this_server_and_never_the_same()
    {
        var first = await ServerOf("CRAM-MD5").AskAsync(null);
        Assert.Matches("^<[0-9a-f]{32}@mail.example.org>$", first);
        Assert.NotEqual(first, await ServerOf("CRAM-MD5").AskAsync(null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("lisa")]
    [InlineData(" " + Zeros)]
    [InlineData("lisa " + Zeros + "0")]
    [InlineData("lisa " + Zeros + " ")]
    [InlineData("lisa" + Zeros)]
    [InlineData("lis\u00e9 " + Zeros)]
    public async Task What_is_no_name_and_32_digits_is_malformed(string response)
    {
        var server = ServerOf("CRAM-MD5");
        await server.AskAsync(null);
        Assert.Equal(new SaslStep.Failure(SaslError.Malformed, null, "not a user name, a space and 32 hexadecimal digits"), await server.FailAsync(response));
    }

    [Theory]
    [InlineData("a\0b")]
    [InlineData("\0")]
    [InlineData("\u0007")]
    public async Task A_name_that_saslprep_prohibits_is_nobodys(string user)
    {
        var server = ServerOf("CRAM-MD5");
        await server.AskAsync(null);
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, null, "the user name is empty or not a name"), await server.FailAsync($"{user} {Zeros}"));
    }

    [Theory]
    [InlineData("lisa", Zeros, "wrong password", true)]
    [InlineData("nobody", Zeros, "unknown user", false)]
    [InlineData("lisa smith", Zeros, "unknown user", false)]
    [InlineData("gone", null, "the account is disabled", true)]
    [InlineData("gone", Zeros, "wrong password", true)]
    [InlineData("nobody", null, "unknown user", false)]
    [InlineData("lisa", "gggggggggggggggggggggggggggggggg", "wrong password", true)]
    public async Task Only_the_audit_trail_tells_the_ways_to_fail_apart(string user, string? digest, string reason, bool exists)
    {
        var context = TestUsers.Context;
        var server = ServerOf("CRAM-MD5", context);
        var challenge = await server.AskAsync(null);
        Assert.Equal(new SaslStep.Failure(SaslError.BadCredentials, user, reason, exists), await server.FailAsync($"{user} {digest ?? Digest(challenge, "pencil")}"));
        Assert.Equal([false], ((TestUsers)context.SharedSecrets!).Proofs);
    }

    [Fact]
    public async Task The_decoy_of_an_unknown_user_is_no_password()
    {
        var server = ServerOf("CRAM-MD5");
        var challenge = await server.AskAsync(null);
        Assert.IsType<SaslStep.Failure>(await server.StepAsync($"nobody {Digest(challenge, challenge[..16])}"));
    }

    [Fact]
    public async Task The_right_digest_logs_in_and_the_store_hears_of_it()
    {
        var context = TestUsers.Context;
        var server = ServerOf("CRAM-MD5", context);
        var challenge = await server.AskAsync("an initial response that means nothing");
        Assert.Equal(challenge, await server.AskAsync(null));
        Assert.Equal(new SaslIdentity("lisa", "lisa"), (await server.SucceedAsync($"lisa {Digest(challenge, "pencil")}")).Identity);
        Assert.Equal([true], ((TestUsers)context.SharedSecrets!).Proofs);
        var upper = ServerOf("CRAM-MD5");
        Assert.IsType<SaslStep.Failure>(await upper.StepAsync($"lisa {Digest(await upper.AskAsync(null), "pencil").ToUpperInvariant()}"));
    }

    [Fact]
    public async Task A_name_of_1020_octets_with_its_digest_is_too_long_and_a_store_that_is_down_says_so()
    {
        var longest = ServerOf("CRAM-MD5");
        await longest.AskAsync(null);
        Assert.Equal(SaslError.BadCredentials, (await longest.FailAsync($"{new string('x', 1020 - 33)} {Zeros}")).Error);
        var longer = ServerOf("CRAM-MD5");
        await longer.AskAsync(null);
        Assert.Equal(SaslError.Malformed, (await longer.FailAsync($"{new string('x', 1021 - 33)} {Zeros}")).Error);
        var down = ServerOf("CRAM-MD5");
        await down.AskAsync(null);
        Assert.Equal(new SaslStep.Failure(SaslError.TemporaryFailure, "down", "down"), await down.FailAsync($"down {Zeros}"));
    }

    [Fact]
    public void A_client_answers_one_challenge_and_cannot_act_as_another()
    {
        var lisa = new SaslClientCredentials { User = "lisa smith", Password = new Secret("pencil") };
        using var client = ClientOf("CRAM-MD5", lisa);
        Assert.Null(client.Say(null));
        Assert.False(client.MayTrustSuccess);
        Assert.Equal($"lisa smith {Digest("<1@x>", "pencil")}", client.Say("<1@x>"));
        Assert.True(client.MayTrustSuccess);
        Assert.Contains("more than one", client.Cancel("<2@x>"), StringComparison.Ordinal);
        Assert.False(client.MayTrustSuccess);
        foreach (var challenge in new[] { null, "" })
        {
            using var other = ClientOf("CRAM-MD5", lisa);
            other.Say(null);
            Assert.Contains("no challenge", other.Cancel(challenge), StringComparison.Ordinal);
        }

        Assert.Null(CramMd5Client.Instance.TryStart(lisa with { AuthorizationId = "shared" }));
    }

    private static string Digest(string challenge, string password) => Convert.ToHexStringLower(HMACMD5.HashData(Encoding.ASCII.GetBytes(password), Encoding.ASCII.GetBytes(challenge)));
}
