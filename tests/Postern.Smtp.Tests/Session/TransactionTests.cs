using System.Net;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

public sealed class TransactionTests
{
    [Fact]
    public void Row_89_fifty_thousand_recipients_are_kept_in_order_and_each_once()
    {
        var transaction = new Transaction(ReversePath.Null, MailParameters.None);
        var mailboxes = Enumerable.Range(0, 50_000).Select(static i => Mailbox.Parse($"user{i}@accepted.example")).ToList();
        foreach (var mailbox in mailboxes.Concat(mailboxes))
            transaction.Add(mailbox, RecipientParameters.None, "test");
        Assert.Equal(mailboxes, transaction.Recipients.Select(static r => r.Mailbox));
        transaction.Add(mailboxes[0], new RecipientParameters { Notify = DsnNotify.Never }, "test");
        Assert.Equal(50_001, transaction.Recipients.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(200)]
    [InlineData(5000)]
    public async Task Row_89_as_many_recipients_as_the_limit_are_taken_and_no_more(int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var store = new MemoryStore();
        await using var server = Start(store, new TestPolicy(), new SessionLimits { Recipients = count });
        await using var client = await RawClient.ConnectAsync(server, patience.Token);
        await client.ReadReplyAsync(patience.Token);
        await client.SayAsync("EHLO c", patience.Token);
        await client.SayAsync("MAIL FROM:<a@example.org>", patience.Token);
        for (var sent = 0; sent < count; sent += 500)
        {
            var group = Math.Min(500, count - sent);
            await client.SendAsync(string.Concat(Enumerable.Range(sent, group).Select(static i => $"RCPT TO:<u{i}@accepted.example>\r\n")), patience.Token);
            for (var i = 0; i < group; i++)
                Assert.Equal("250 2.1.5 Ok", await client.ReadReplyAsync(patience.Token));
        }

        Assert.StartsWith("452 4.5.3 ", await client.SayAsync("RCPT TO:<one-more@accepted.example>", patience.Token));
        Assert.StartsWith("354 ", await client.SayAsync("DATA", patience.Token));
        Assert.StartsWith("250 2.0.0 ", await client.SayAsync(".", patience.Token));
        Assert.Equal(count, store.Messages.Single().Recipients.Count);
    }

    [Fact]
    public async Task A_client_that_names_the_same_mailboxes_again_gets_the_same_objects()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var policy = new Witness();
        await using var server = Start(new MemoryStore(), policy, new SessionLimits());
        await using var client = await RawClient.ConnectAsync(server, patience.Token);
        await client.ReadReplyAsync(patience.Token);
        await client.SayAsync("EHLO c", patience.Token);
        for (var i = 0; i < 2; i++)
        {
            await client.SayAsync("MAIL FROM:<a@example.org>", patience.Token);
            await client.SayAsync("RCPT TO:<b@accepted.example>", patience.Token);
            await client.SayAsync("RSET", patience.Token);
        }

        Assert.Same(policy.Senders[0], policy.Senders[1]);
        Assert.Same(policy.Recipients[0], policy.Recipients[1]);
        Assert.All(policy.Parameters, static p => Assert.Same(MailParameters.None, p));
    }

    private static SmtpServer Start(MemoryStore store, IEnvelopePolicy policy, SessionLimits limits)
    {
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None }],
            Policy = policy,
            Store = store,
            Limits = limits,
        });
        server.Start();
        return server;
    }

    private sealed class Witness : IEnvelopePolicy
    {
        public List<Mailbox?> Senders { get; } = [];

        public List<Mailbox> Recipients { get; } = [];

        public List<MailParameters> Parameters { get; } = [];

        public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct)
        {
            Senders.Add(sender.Mailbox);
            return new(Verdict.Pass.Instance);
        }

        public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct)
        {
            Recipients.Add(recipient);
            Parameters.Add(session.Transaction!.Parameters);
            return new(new Verdict.Permit("test"));
        }
    }
}
