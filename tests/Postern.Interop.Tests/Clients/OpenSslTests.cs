using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Clients;

/// <summary>A person with <c>openssl s_client</c> and a mail tutorial.</summary>
public sealed class OpenSslTests(PosternServer server)
{
    [Theory]
    [InlineData(Way.StartTls)]
    [InlineData(Way.Implicit)]
    public async Task A_dialogue_typed_by_hand_submits_a_message_that_arrives_unchanged(Way way)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());
        await using var typed = Connect(way, "-quiet");

        if (way == Way.Implicit)
            Assert.StartsWith($"220 {PosternServer.Hostname} ESMTP", await typed.ReplyAsync(), StringComparison.Ordinal);
        var offer = await typed.TypeAsync("EHLO client.test");
        Assert.Contains("250-AUTH ", offer.Replace("250 AUTH", "250-AUTH", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("STARTTLS", offer, StringComparison.Ordinal);
        Assert.StartsWith("235 2.7.0 ", await typed.TypeAsync($"AUTH PLAIN {Plain(PosternServer.Password)}"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.1.0 ", await typed.TypeAsync($"MAIL FROM:<{PosternServer.Sender}>"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.1.5 ", await typed.TypeAsync($"RCPT TO:<{message.Recipient}>"), StringComparison.Ordinal);
        Assert.StartsWith("354 ", await typed.TypeAsync("DATA"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.0.0 Queued as ", await typed.TypeAsync(DotsStuffed(message.LfText), "."), StringComparison.Ordinal);
        Assert.StartsWith("221 2.0.0 ", await typed.TypeAsync("QUIT"), StringComparison.Ordinal);

        Assert.Equal(0, await typed.EndAsync());
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    /// <summary>Without <c>-quiet</c> a line that begins with R renegotiates and one with Q ends, so tutorials tell people to type in lower case.</summary>
    [Fact]
    public async Task A_dialogue_in_lower_case_with_auth_login_is_as_good()
    {
        var recipient = PosternServer.NewRecipient();
        await using var typed = Connect(Way.StartTls);

        await typed.TypeAsync("ehlo client.test");
        Assert.Equal("334 VXNlcm5hbWU6", await typed.TypeAsync("auth login"));
        Assert.Equal("334 UGFzc3dvcmQ6", await typed.TypeAsync(Base64(PosternServer.User)));
        Assert.StartsWith("235 2.7.0 ", await typed.TypeAsync(Base64(PosternServer.Password)), StringComparison.Ordinal);
        Assert.StartsWith("250 2.1.0 ", await typed.TypeAsync($"mail from:<{PosternServer.Sender}>"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.1.5 ", await typed.TypeAsync($"rcpt to:<{recipient}>"), StringComparison.Ordinal);
        Assert.StartsWith("354 ", await typed.TypeAsync("data"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.0.0 ", await typed.TypeAsync("Subject: typed\n\nhello\n"u8.ToArray(), "."), StringComparison.Ordinal);
        Assert.StartsWith("221 2.0.0 ", await typed.TypeAsync("quit"), StringComparison.Ordinal);

        var arrived = await server.MessageForAsync(recipient);
        Assert.EndsWith("\r\n\r\nhello\r\n", arrived.Text, StringComparison.Ordinal);
        Assert.Contains("\r\nSubject: typed\r\nDate: ", arrived.Text, StringComparison.Ordinal);
        Assert.Contains("\r\nMessage-ID: <", arrived.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_the_right_one_taken_in_the_same_session()
    {
        await using var typed = Connect(Way.Implicit, "-quiet");
        await typed.ReplyAsync();

        await typed.TypeAsync("EHLO client.test");
        Assert.StartsWith("535 5.7.8 ", await typed.TypeAsync($"AUTH PLAIN {Plain(PosternServer.WrongPassword)}"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.1.0 ", await typed.TypeAsync($"MAIL FROM:<{PosternServer.Sender}>"), StringComparison.Ordinal);
        Assert.StartsWith("530 5.7.0 ", await typed.TypeAsync("RCPT TO:<anyone@sink.test>"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.0.0 ", await typed.TypeAsync("RSET"), StringComparison.Ordinal);
        Assert.StartsWith("235 2.7.0 ", await typed.TypeAsync($"AUTH PLAIN {Plain(PosternServer.Password)}"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.1.0 ", await typed.TypeAsync($"MAIL FROM:<{PosternServer.Sender}>"), StringComparison.Ordinal);
        Assert.StartsWith("250 2.1.5 ", await typed.TypeAsync("RCPT TO:<anyone@sink.test>"), StringComparison.Ordinal);
    }

    /// <summary>In lower case a line is sent; <c>R</c> alone makes s_client ask for another handshake.</summary>
    [Fact]
    public async Task Row_21_a_renegotiation_ends_the_connection()
    {
        await using var typed = Connect(Way.Implicit, "-tls1_2");
        await typed.ReplyAsync();
        Assert.StartsWith("250", await typed.TypeAsync("noop"), StringComparison.Ordinal);

        await Assert.ThrowsAsync<InvalidOperationException>(() => typed.TypeAsync("R"));

        Assert.NotEqual(0, await typed.EndAsync());
    }

    [Fact]
    public async Task Before_starttls_no_auth_is_offered_and_none_is_taken()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port(Way.StartTls), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        var greeting = await reader.ReadLineAsync(TestContext.Current.CancellationToken);

        var offer = await TypeAsync("EHLO client.test");
        var answer = await TypeAsync($"AUTH PLAIN {Plain(PosternServer.Password)}");

        Assert.StartsWith("220 ", greeting, StringComparison.Ordinal);
        Assert.Contains("STARTTLS", offer, StringComparison.Ordinal);
        Assert.DoesNotContain("AUTH", offer, StringComparison.Ordinal);
        Assert.StartsWith("5", answer, StringComparison.Ordinal);

        async Task<string> TypeAsync(string line)
        {
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n"), TestContext.Current.CancellationToken);
            var reply = new StringBuilder();
            while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } got)
            {
                reply.Append(got).Append('\n');
                if (got is [_, _, _, ' ', ..])
                    break;
            }

            return reply.ToString();
        }
    }

    private TypedDialogue Connect(Way way, params string[] more) => new(
        Peer.Require("openssl"),
        [
            "s_client", "-connect", $"127.0.0.1:{server.Port(way)}", "-CAfile", server.CertificateFile, "-verify_return_error", "-crlf",
            .. way == Way.StartTls ? (string[])["-starttls", "smtp"] : [], .. more,
        ]);

    private static string Plain(string password) => Base64($"\0{PosternServer.User}\0{password}");

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static byte[] DotsStuffed(string text) => Encoding.UTF8.GetBytes(text.Replace("\n.", "\n..", StringComparison.Ordinal));
}
