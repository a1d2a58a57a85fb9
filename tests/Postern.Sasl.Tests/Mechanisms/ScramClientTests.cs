using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>RFC 5802 from the client's side: nothing that a server says makes it compute without bounds, or trust without proof.</summary>
public sealed class ScramClientTests
{
    private static SaslClientCredentials Lisa { get; } = new() { User = "lisa", Password = new Secret("pencil") };

    [Theory]
    [InlineData("", "malformed")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92", "malformed")]
    [InlineData("s=QSXCR+Q6sek8bf92,r={0}x,i=4096", "malformed")]
    [InlineData("r={0}x,i=4096,s=QSXCR+Q6sek8bf92", "malformed")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=4096,", "malformed")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=4096,m=x", "malformed")]
    [InlineData("m=x,r={0}x,s=QSXCR+Q6sek8bf92,i=4096", "malformed")]
    [InlineData("e=unknown-user", "malformed")]
    [InlineData("r={0},s=QSXCR+Q6sek8bf92,i=4096", "does not go on from ours")]
    [InlineData("r=x{0},s=QSXCR+Q6sek8bf92,i=4096", "does not go on from ours")]
    [InlineData("r=,s=QSXCR+Q6sek8bf92,i=4096", "does not go on from ours")]
    [InlineData("r={0} x,s=QSXCR+Q6sek8bf92,i=4096", "does not go on from ours")]
    [InlineData("r={0}x,s=,i=4096", "salt")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf9,i=4096", "salt")]
    [InlineData("r={0}x,s=QSXC R+Q6sek8bf92,i=4096", "salt")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=", "iteration count")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=0", "iteration count")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=-4096", "iteration count")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i= 4096", "iteration count")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=4,096", "malformed")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=4095", "between 4096 and 1000000")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=1000001", "between 4096 and 1000000")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=99999999999", "iteration count")]
    public void A_first_message_it_cannot_work_with_is_cancelled(string serverFirst, string reason)
    {
        using var client = ClientOf("SCRAM-SHA-1", Lisa);
        Assert.Contains(reason, client.Cancel(string.Format(null, serverFirst, NonceOf(client))), StringComparison.Ordinal);
        Assert.False(client.MayTrustSuccess);
    }

    [Theory]
    [InlineData(4096, "")]
    [InlineData(10_000, "")]
    [InlineData(4096, ",x=1,y=2")]
    public void The_borders_of_the_iteration_count_and_optional_extensions_are_good(int iterations, string extensions)
    {
        using var client = ClientOf("SCRAM-SHA-1", Lisa with { MaxIterations = 10_000 });
        var nonce = NonceOf(client) + "x";
        Assert.StartsWith($"c=biws,r={nonce},p=", client.Say($"r={nonce},s=QSXCR+Q6sek8bf92,i={iterations}{extensions}"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_is_there_is_text_and_has_8_kibibytes_at_the_most()
    {
        foreach (var challenge in new[] { null, "r=\u00e9", new string('x', 8193) })
        {
            using var client = ClientOf("SCRAM-SHA-1", Lisa);
            client.Say(null);
            Assert.Contains("missing, too long or not UTF-8", client.Cancel(challenge), StringComparison.Ordinal);
        }

        using var whole = ClientOf("SCRAM-SHA-1", Lisa);
        var start = $"r={NonceOf(whole)}x,s=QSXCR+Q6sek8bf92,i=4096,x=";
        Assert.NotNull(whole.Say(start + new string('x', 8192 - start.Length)));
    }

    [Theory]
    [InlineData("e=invalid-proof", "the server refuses: invalid-proof")]
    [InlineData("e=\u0001\u007f~", "the server refuses: ??~")]
    [InlineData("", "could not prove")]
    [InlineData("v=", "could not prove")]
    [InlineData("v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "could not prove")]
    [InlineData("x=1,v={0}", "could not prove")]
    [InlineData("V={0}", "could not prove")]
    public void A_server_that_does_not_prove_itself_is_not_believed(string serverFinal, string reason)
    {
        using var client = ClientOf("SCRAM-SHA-256", Lisa);
        var signature = SignatureOf(client);
        Assert.False(client.MayTrustSuccess);
        Assert.Contains(reason, client.Cancel(string.Format(null, serverFinal, signature)), StringComparison.Ordinal);
        Assert.False(client.MayTrustSuccess);
    }

    [Theory]
    [InlineData("v={0}")]
    [InlineData("v={0},x=1")]
    public void A_proof_is_answered_by_nothing_and_ends_it(string serverFinal)
    {
        using var client = ClientOf("SCRAM-SHA-256", Lisa);
        var signature = SignatureOf(client);
        Assert.Equal("", client.Say(string.Format(null, serverFinal, signature)));
        Assert.True(client.MayTrustSuccess);
        Assert.Contains("goes on", client.Cancel("v=x"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_server_says_is_cut_and_made_printable_for_the_log()
    {
        using var client = ClientOf("SCRAM-SHA-256", Lisa);
        SignatureOf(client);
        Assert.Equal("the server refuses: " + new string('a', 199) + " ", client.Cancel("e=" + new string('a', 199) + " b"));
    }

    [Theory]
    [InlineData("lisa", "", "n,,n=lisa,r=")]
    [InlineData("li,s=a", "x=,", "n,a=x=3D=2C,n=li=2Cs=3Da,r=")]
    [InlineData("\u2168", "", "n,,n=IX,r=")]
    public void Names_are_prepared_and_escaped(string user, string actAs, string expected)
    {
        using var client = ClientOf("SCRAM-SHA-256", Lisa with { User = user, AuthorizationId = actAs });
        Assert.StartsWith(expected, client.Say(null), StringComparison.Ordinal);
    }

    [Fact]
    public void The_flag_says_what_was_seen()
    {
        var bound = Lisa with { Channel = FixedChannel.Of() };
        Assert.StartsWith("n,,", First(["SCRAM-SHA-256"], Lisa), StringComparison.Ordinal);
        Assert.StartsWith("y,,", First(["SCRAM-SHA-256"], bound), StringComparison.Ordinal);
        Assert.StartsWith("n,,", First(["SCRAM-SHA-256", "scram-sha-1-plus"], bound, "SCRAM-SHA-256"), StringComparison.Ordinal);
        Assert.StartsWith("p=tls-server-end-point,,", First(["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], bound), StringComparison.Ordinal);
        Assert.StartsWith("n,,", First(["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], bound with { Channel = new ChannelBindings([]) }), StringComparison.Ordinal);
        Assert.StartsWith("p=tls-exporter,,", First(["SCRAM-SHA-1-PLUS"], bound with { Channel = new ChannelBindings((ChannelBindingType.TlsExporter, [1]), (ChannelBindingType.TlsServerEndPoint, [1])) }), StringComparison.Ordinal);
        Assert.StartsWith("p=tls-unique,,", First(["SCRAM-SHA-1-PLUS"], bound with { Channel = new ChannelBindings((ChannelBindingType.TlsUnique, [1]), (ChannelBindingType.TlsExporter, [1])) }), StringComparison.Ordinal);
        Assert.StartsWith("p=tls-server-end-point,,", First(["SCRAM-SHA-1-PLUS"], bound with { Channel = new ChannelBindings(ChannelBindingType.All, static type => type.IsOfConnection ? null : [1]) }), StringComparison.Ordinal);
        Assert.Null(ScramClient.Sha1Plus.TryStart(Lisa));

        static string First(string[] offered, SaslClientCredentials credentials, string? only = null)
        {
            var (_, exchange) = SaslClientMechanisms.Choose(offered, credentials, isVerified: false, only is null ? null : [only])!.Value;
            using (exchange)
                return exchange.Say(null)!;
        }
    }

    [Fact]
    public void The_binding_is_in_the_proof_and_nonces_differ()
    {
        using var client = ClientOf("SCRAM-SHA-1-PLUS", Lisa with { Channel = FixedChannel.Of("cb") });
        var nonce = NonceOf(client) + "x";
        var c = client.Say($"r={nonce},s=QSXCR+Q6sek8bf92,i=4096")!.Split(',')[0];
        Assert.Equal("c=" + Convert.ToBase64String("p=tls-server-end-point,,cb"u8), c);
        using var other = ClientOf("SCRAM-SHA-1", Lisa);
        Assert.NotEqual(nonce, NonceOf(other) + "x");
        Assert.Equal(32, NonceOf(ClientOf("SCRAM-SHA-1", Lisa)).Length);
    }

    private static string NonceOf(ISaslClientExchange client)
    {
        var first = client.Say(null)!;
        return first[(first.IndexOf(",r=", StringComparison.Ordinal) + 3)..];
    }

    /// <summary>Plays up to the client's proof, and answers with the signature that the server should send.</summary>
    private static string SignatureOf(ISaslClientExchange client)
    {
        var first = client.Say(null)!;
        var nonce = first[(first.IndexOf(",r=", StringComparison.Ordinal) + 3)..] + "x";
        var serverFirst = $"r={nonce},s=QSXCR+Q6sek8bf92,i=4096";
        var final = client.Say(serverFirst)!;
        var secret = ScramSecret.Derive(HashAlgorithmName.SHA256, "pencil", Base64("QSXCR+Q6sek8bf92"), 4096);
        var signed = $"{first[3..]},{serverFirst},{final[..final.IndexOf(",p=", StringComparison.Ordinal)]}";
        return Convert.ToBase64String(HMACSHA256.HashData(secret.ServerKey.Span, Encoding.ASCII.GetBytes(signed)));
    }
}
