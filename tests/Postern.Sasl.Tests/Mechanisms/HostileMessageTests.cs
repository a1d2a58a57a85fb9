using System.Text;
using Postern.Sasl.Client;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>What a client must not be able to do to any server half, nor a server to any client half: make it throw, hang or forget its one answer.</summary>
public sealed class HostileMessageTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("POSTERN_SOAK") is null ? 1_000 : 1_000_000;

    /// <summary>Pieces of every mechanism's messages, right and wrong.</summary>
    private static readonly byte[][] Pieces =
    [
        .. new[]
        {
            "n,,n=lisa,r=abc", "y,,", "p=tls-server-end-point,,", "p=tls-unique,,", "n,a=shared,", "c=biws", ",r=abc", ",p=", "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "m=x,", "=2C", "=3D", "=", ",", "i=2147483647",
            "\0lisa\0pencil", "\0", "lisa", "pencil", "lisa b913a602c7eda7a495b4e6e7334d3890", " ", "username=\"lisa\"", "realm=\"mail.example.org\"", "nonce=\"\\", "nc=00000001", "nc=00000002", "cnonce=\"x\"",
            "digest-uri=\"smtp/mail.example.org\"", "digest-uri=\"imap/x\"", "response=d388dad90d4bbd760a152321f2143af7", "qop=auth-conf", "charset=utf-8", "authzid=\"bart\"", "\"", "\\", "user=lisa", "\u0001",
            "auth=Bearer good-token", "auth=Basic x", "auth=Bearer ", "host=x", "\u00e9", "\u0627a", "a\u0300",
        }.Select(Encoding.UTF8.GetBytes),
        [0xff, 0xfe], [0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [.. Enumerable.Repeat((byte)'a', 300)], [.. Enumerable.Repeat((byte)',', 5000)], [.. Enumerable.Repeat((byte)'x', 13_000)],
    ];

    public static TheoryData<string> Servers() => [.. SaslMechanisms.All.Select(static m => m.Name).Where(static n => n != "GSSAPI")];

    public static TheoryData<string> Clients() => [.. SaslClientMechanisms.All.Select(static m => m.Name).Where(static n => n != "GSSAPI")];

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_server_half_answers_anything_and_ends(string name)
    {
        var mechanism = SaslMechanisms.All.Single(m => m.Name == name);
        var random = new Random(4422);
        for (var round = 0; round < Rounds; round++)
        {
            var exchange = mechanism.TryStart(TestUsers.Context)!;
            SaslStep step = new SaslStep.Challenge(default);
            var challenges = 0;
            for (; step is SaslStep.Challenge && challenges < 6; challenges++)
                step = await exchange.NextAsync(challenges == 0 && random.Next(4) == 0 ? null : Message(random), CancellationToken.None);
            Assert.True(step is not SaslStep.Challenge, $"{name} does not end");
            if (name is not ("ANONYMOUS" or "EXTERNAL" or "PLAIN" or "LOGIN" or "OAUTHBEARER" or "XOAUTH2"))
                Assert.IsType<SaslStep.Failure>(step);
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public void A_client_half_answers_anything_and_ends(string name)
    {
        var mechanism = SaslClientMechanisms.All.Single(m => m.Name == name);
        var credentials = new SaslClientCredentials
        {
            User = "lisa", Password = new Secret("pencil"), Token = new Secret("token"), HasClientCertificate = true, Host = "mail.example.org", Channel = FixedChannel.Of(), MaxIterations = 10,
        };
        var random = new Random(5802);
        for (var round = 0; round < Rounds; round++)
        {
            using var exchange = mechanism.TryStart(credentials)!;
            var step = exchange.Next(challenge: null);
            for (var i = 0; i < 6 && step is SaslClientStep.Response; i++)
                step = exchange.Next(Message(random));
            Assert.IsType<SaslClientStep.Cancel>(step);
        }
    }

    [Theory]
    [InlineData("r=abc,s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("r={0},s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("r={0}x,s=,i=4096")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=0")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=-1")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=2147483647")]
    [InlineData("r={0}x,s=QSXCR+Q6sek8bf92,i=99999999999999")]
    [InlineData("s=QSXCR+Q6sek8bf92,r={0}x,i=4096")]
    [InlineData("m=x,r={0}x,s=QSXCR+Q6sek8bf92,i=4096")]
    public void Row_46_a_server_cannot_make_a_scram_client_compute_what_it_likes(string serverFirst)
    {
        using var client = ScramClient.Sha256.TryStart(new SaslClientCredentials { User = "lisa", Password = new Secret("pencil") })!;
        var first = Encoding.ASCII.GetString(((SaslClientStep.Response)client.Next(challenge: null)).Data!.Value.Span);
        var nonce = first[(first.IndexOf(",r=", StringComparison.Ordinal) + 3)..];
        Assert.IsType<SaslClientStep.Cancel>(client.Next(Encoding.ASCII.GetBytes(string.Format(null, serverFirst, nonce))));
        Assert.False(client.MayTrustSuccess);
    }

    /// <summary>A digest or a proof is for one exchange: the same octets in the next are refused.</summary>
    [Theory]
    [InlineData("CRAM-MD5")]
    [InlineData("DIGEST-MD5")]
    [InlineData("SCRAM-SHA-256")]
    public async Task Row_39_a_recorded_response_is_good_for_nothing(string name)
    {
        var recorded = new List<ReadOnlyMemory<byte>?>();
        using var client = SaslClientMechanisms.All.Single(m => m.Name == name).TryStart(new SaslClientCredentials { User = "lisa", Password = new Secret("pencil"), Host = "mail.example.org" })!;
        var server = SaslMechanisms.All.Single(m => m.Name == name).TryStart(TestUsers.Context)!;
        var said = ((SaslClientStep.Response)client.Next(challenge: null)).Data;
        SaslStep step;
        do
        {
            recorded.Add(said);
            step = await server.NextAsync(said, CancellationToken.None);
            said = step is SaslStep.Challenge(var data) ? ((SaslClientStep.Response)client.Next(data)).Data : said;
        }
        while (step is SaslStep.Challenge);
        Assert.IsType<SaslStep.Success>(step);

        var again = SaslMechanisms.All.Single(m => m.Name == name).TryStart(TestUsers.Context)!;
        foreach (var response in recorded)
            step = await again.NextAsync(response, CancellationToken.None);
        Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(step).Error);
    }

    private static byte[] Message(Random random)
    {
        var message = new List<byte>();
        for (var n = random.Next(6); n >= 0; n--)
        {
            var piece = Pieces[random.Next(Pieces.Length)];
            message.AddRange(random.Next(5) == 0 ? piece[..random.Next(piece.Length + 1)] : piece);
        }

        if (random.Next(6) == 0 && message.Count > 0)
            message[random.Next(message.Count)] = (byte)random.Next(256);
        return [.. message];
    }
}
