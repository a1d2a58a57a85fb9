using Postern.Sasl;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Tests.Policy;

public sealed class LoginPolicyTests
{
    /// <summary>RFC 4505: an embedder who lets clients in without an identity has not let them relay.</summary>
    [Fact]
    public async Task Anonymous_is_no_login()
    {
        var received = new TaskCompletionSource<ReceivedMessage>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var options = new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Store = MessageStore.From((message, _) =>
            {
                received.SetResult(message);
                return Task.CompletedTask;
            }),
            Policy = EnvelopePolicy.AcceptFor("accepted.example"),
            Sasl = new SaslContext { AllowsAnonymous = true },
            Listeners = [new SmtpListenerOptions { Name = "open", Endpoints = [new(System.Net.IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always, Mechanisms = ["ANONYMOUS"] }],
        };
        await using var server = new SmtpServer(options);
        server.Start();
        await using var client = await RawClient.ConnectAsync(server, patience.Token);
        await client.ReadLineAsync(patience.Token);
        await client.SendAsync("EHLO c\r\n", patience.Token);
        await client.ReadReplyAsync(patience.Token);
        Assert.Equal("235 2.7.0 Authentication successful", await client.SayAsync("AUTH ANONYMOUS =", patience.Token));
        Assert.StartsWith("250", await client.SayAsync("MAIL FROM:<a@example.org>", patience.Token));
        Assert.StartsWith("550 5.7.1", await client.SayAsync("RCPT TO:<b@elsewhere.example>", patience.Token));
        Assert.StartsWith("250", await client.SayAsync("RCPT TO:<b@accepted.example>", patience.Token));
        Assert.StartsWith("354", await client.SayAsync("DATA", patience.Token));
        Assert.StartsWith("250", await client.SayAsync(".", patience.Token));
        Assert.Null((await received.Task).Login);
    }
}
