using System.Net;
using System.Net.Sockets;
using Postern.Interop.Tests.Server;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Interop.Tests.Upstreams;

/// <summary>Each client half against the server half of Dovecot and of Cyrus SASL, behind Postfix.</summary>
public sealed class UpstreamLoginTests(UpstreamPostfix upstream) : IClassFixture<UpstreamPostfix>
{
    private static readonly SmtpClientOptions Options = new()
    {
        Hostname = Domain.Parse("client.test"),
        ServerName = "localhost",
        Tls = ClientTls.Required,
        VerifyCertificate = static (_, presented, _, _) => presented!.GetCertHashString() == TestCertificate.Instance.GetCertHashString(),
    };

    public static TheoryData<string, string> Mechanisms() => new()
    {
        { "dovecot", "PLAIN" },
        { "dovecot", "LOGIN" },
        { "dovecot", "CRAM-MD5" },
        { "dovecot", "DIGEST-MD5" },
        { "dovecot", "SCRAM-SHA-1" },
        { "dovecot", "SCRAM-SHA-256" },
        { "dovecot", "OAUTHBEARER" },
        { "dovecot", "XOAUTH2" },
        { "cyrus", "PLAIN" },
        { "cyrus", "LOGIN" },
        { "cyrus", "CRAM-MD5" },
        { "cyrus", "DIGEST-MD5" },
        { "cyrus", "SCRAM-SHA-1" },
        { "cyrus", "SCRAM-SHA-256" },
        { "cyrus", "SCRAM-SHA-512" },
    };

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task The_right_secret_logs_in_and_a_message_is_relayed(string server, string mechanism)
    {
        await using var dialogue = await OpenAsync(server);
        var recipient = PosternServer.NewRecipient();

        var answer = await dialogue.LogInAsync(Login(mechanism, isRight: true), CancellationToken.None);
        Assert.True(answer is ClientLoginAnswer.Accepted(var used, _) && used == mechanism, $"{answer}");
        var message = new OutgoingMessage(new ReversePath(Mailbox.Parse("a@client.test")), [Mailbox.Parse(recipient)], new ByteContent("Subject: x\r\n\r\nbody\r\n"));
        Assert.IsType<ClientAnswer.Accepted>((await dialogue.SendAsync(message, following: null, CancellationToken.None))[0]);
        await dialogue.QuitAsync(CancellationToken.None);

        Assert.Contains($"(Authenticated sender: {UpstreamPostfix.User}", (await upstream.MessageForAsync(recipient)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task A_wrong_secret_is_refused_at_once(string server, string mechanism)
    {
        await using var dialogue = await OpenAsync(server);

        var answer = await dialogue.LogInAsync(Login(mechanism, isRight: false), CancellationToken.None);

        // A server that ends SCRAM by its own e= is cancelled; both say no.
        Assert.True(answer is ClientLoginAnswer.Refused(_, { Code: 535 }) or ClientLoginAnswer.Abandoned, $"{answer}");
    }

    [Theory]
    [InlineData("dovecot", "SCRAM-SHA-256")]
    [InlineData("cyrus", "SCRAM-SHA-512")]
    public async Task The_strongest_mechanism_is_taken(string server, string strongest)
    {
        await using var dialogue = await OpenAsync(server);

        var answer = await dialogue.LogInAsync(Login(mechanism: null, isRight: true), CancellationToken.None);

        Assert.Equal(strongest, Assert.IsType<ClientLoginAnswer.Accepted>(answer).Mechanism);
    }

    private async Task<SmtpClientDialogue> OpenAsync(string server)
    {
        UpstreamPostfix.Require();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(server == "dovecot" ? UpstreamPostfix.ByDovecot : UpstreamPostfix.ByCyrus, upstream.Port));
        var dialogue = new SmtpClientDialogue(new NetworkStream(socket, ownsSocket: true), Options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        return dialogue;
    }

    private static ClientLogin Login(string? mechanism, bool isRight)
    {
        var credentials = mechanism is "OAUTHBEARER" or "XOAUTH2"
            ? new SaslClientCredentials { User = UpstreamPostfix.User, Token = BearerToken.For(UpstreamPostfix.User, isRight ? UpstreamPostfix.TokenKey : new byte[32]) }
            : new SaslClientCredentials { User = UpstreamPostfix.User, Password = new Secret(isRight ? UpstreamPostfix.Password : "lion") };
        return new ClientLogin(credentials) { Mechanisms = mechanism is null ? null : [mechanism] };
    }
}
