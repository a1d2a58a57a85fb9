using System.Net;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>Row 20: a client ends TLS in the middle of content and goes on in clear. The session ends; nothing is stored and nothing is answered.</summary>
public sealed class CloseNotifyTests
{
    [Theory]
    [InlineData("DATA\r\n", true)]
    [InlineData("BDAT 100 LAST\r\n", false)]
    public async Task Row_20_content_does_not_go_on_in_clear_after_close_notify(string command, bool hasReply)
    {
        var store = new MemoryStore();
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.Implicit }],
            Policy = new TestPolicy(),
            Store = store,
            Tls = new TlsOptions(TestCertificate.Instance),
        });
        server.Start();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var ct = patience.Token;
        await using var client = await RawClient.ConnectAsync(server, ct);
        await client.StartTlsAsync(ct);
        await client.ReadReplyAsync(ct);
        foreach (var line in (string[])["EHLO c", "MAIL FROM:<a@example.org>", "RCPT TO:<b@accepted.example>"])
            Assert.StartsWith("250", await client.SayAsync(line, ct));
        await client.SendAsync(command, ct);
        if (hasReply)
            Assert.StartsWith("354", await client.ReadReplyAsync(ct));
        await client.SendAsync("half of it", ct);

        await client.CloseNotifyAsync(ct);
        await client.SendInClearAsync("A"u8.ToArray(), ct);
        await client.SendInClearAsync("\r\n.\r\nNOOP\r\n"u8.ToArray(), ct);

        Assert.Null(await client.ReadReplyAsync(ct));
        Assert.Empty(store.Messages);
    }
}
