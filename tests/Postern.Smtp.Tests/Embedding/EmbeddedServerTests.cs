using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Postern.Smtp.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Embedding;

/// <summary>What a program that embeds the server relies on.</summary>
public sealed class EmbeddedServerTests
{
    [Fact]
    public async Task Messages_of_a_user_who_logged_in_reach_the_function()
    {
        var received = new TaskCompletionSource<ReceivedMessage>();
        await using var server = Start(options => options.Store = MessageStore.From((message, ct) =>
        {
            received.SetResult(message);
            return Task.CompletedTask;
        }));
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync("MAIL FROM:<lisa@example.org>", "530");
        await client.StartTlsAsync();
        await client.LogInAsync("lisa", "tiger");
        var reply = await client.SendAsync("lisa@example.org", "bart@example.net", "Subject: x\r\n\r\nHello.\r\n");

        var message = await received.Task;
        Assert.Equal($"250 2.0.0 Queued as {message.Id}", reply);
        Assert.Equal("Subject: x\r\n\r\nHello.\r\n", Encoding.ASCII.GetString(message.Content.Span));
        Assert.Equal("lisa@example.org", message.Sender.Address);
        Assert.Equal([Mailbox.Parse("bart@example.net")], message.Recipients);
        Assert.Equal(("lisa", true, "smtp"), (message.Login, message.IsProtected, message.Listener));
        using var reader = new StreamReader(message.OpenContent());
        Assert.Equal("Subject: x", await reader.ReadLineAsync());
    }

    [Fact]
    public async Task Other_options_are_applied_as_the_readme_says()
    {
        const int port = 0;
        var options = new SmtpServerOptions { Store = MessageStore.From(static (_, _) => Task.CompletedTask), Policy = new TestPolicy() };
        options.Listen(port, TlsMode.None);
        options.Authenticate(static (_, _, _) => new(false));
        options.Tls = new TlsOptions(TestCertificate.Instance);
        await using var server = new SmtpServer(options);
        server.Start();
        var first = server.Endpoints[0].Endpoint;
        options.MaxConnections = 100;
        options.Listen(port);                    // one endpoint more; those that stay keep their sockets
        var applied = server.Apply(options);     // who is connected goes on as it began; who comes finds the new options
        foreach (var removed in applied.Removed)
            Console.WriteLine($"{removed.Listener} on {removed.Endpoint} accepts no more, and {removed.OpenSessions} sessions may finish");

        Assert.Equal([first], applied.Kept.Select(static k => k.Endpoint));
        Assert.Equal(2, server.Endpoints.Count);
        Assert.All(server.Endpoints, static e => Assert.NotEqual(0, e.Endpoint.Port));
        Assert.Contains(Snippet("options.MaxConnections = 100;", "sessions may finish"), await File.ReadAllTextAsync(SourceTree.PathOf("src/Postern.Smtp/README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_may_refuse_with_a_reply_of_its_own()
    {
        await using var server = Start(static options => options.Store = MessageStore.From(static (_, _) =>
            Task.FromResult<StoreOutcome>(new StoreOutcome.Refused(new Reply(554, new(5, 6, 0), "We do not like it")))));
        await using var client = await LoggedInAsync(server);
        Assert.Equal("554 5.6.0 We do not like it", await client.SendAsync("lisa@example.org", "bart@example.net", "x\r\n"));
        await client.SayAsync("NOOP", "250");
    }

    [Theory]
    [MemberData(nameof(WhatStoresThrow))]
    public async Task What_a_store_throws_is_told_and_never_taken_for_a_lost_connection(Exception thrown)
    {
        var faults = new ConcurrentQueue<Exception>();
        await using var server = Start(options =>
        {
            options.Store = MessageStore.From(Task (_, _) => throw thrown);
            options.Events = new Faults(faults);
        });
        await using var client = await LoggedInAsync(server);
        Assert.StartsWith("421 4.3.0", await client.SendAsync("lisa@example.org", "bart@example.net", "x\r\n"));
        Assert.Same(thrown, Assert.Single(faults));
    }

    public static TheoryData<Exception> WhatStoresThrow() =>
        [new IOException("disk full"), new TaskCanceledException("the database took too long"), new System.Net.Sockets.SocketException(), new ObjectDisposedException("db")];

    [Fact]
    public async Task Accepted_domains_take_mail_from_anybody_and_nothing_else_is_relayed()
    {
        await using var server = Start(static options => options.Policy = EnvelopePolicy.AcceptFor("Example.COM"));
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync("MAIL FROM:<a@example.net>", "250");
        await client.SayAsync("RCPT TO:<b@example.com>", "250");
        await client.SayAsync("RCPT TO:<b@sub.example.com>", "530");
        await client.SayAsync("RCPT TO:<b@example.net>", "530");
    }

    [Fact]
    public async Task A_session_is_held_on_any_stream_without_a_listener()
    {
        var store = new MemoryStore();
        await using var server = new SmtpServer(new SmtpServerOptions { Hostname = "mail.example.org", Store = store, Policy = new TestPolicy() });
        var input = "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\nDATA\r\nHello.\r\n.\r\nQUIT\r\n";
        var output = new MemoryStream();
        await server.ServeAsync(new TwoStreams(new MemoryStream(Encoding.ASCII.GetBytes(input)), output), new IPEndPoint(IPAddress.Loopback, 1), Lone, CancellationToken.None);

        var replies = Encoding.ASCII.GetString(output.ToArray()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("220 mail.example.org", replies[0]);
        Assert.StartsWith("221", replies[^1]);
        Assert.Single(store.Messages);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task A_session_on_a_stream_is_turned_away_at_the_gate_and_when_the_server_has_stopped()
    {
        await using var server = new SmtpServer(new SmtpServerOptions { Store = new MemoryStore(), Policy = new TestPolicy() });
        var output = new MemoryStream();
        var narrow = Lone with { Clients = [IPNetwork.Parse("192.0.2.0/24")] };
        await server.ServeAsync(new TwoStreams(Stream.Null, output), new IPEndPoint(IPAddress.Loopback, 1), narrow, CancellationToken.None);
        Assert.StartsWith("554 5.7.1", Encoding.ASCII.GetString(output.ToArray()));

        await server.StopAsync(CancellationToken.None);
        output = new MemoryStream();
        await server.ServeAsync(new TwoStreams(Stream.Null, output), new IPEndPoint(IPAddress.Loopback, 1), Lone, CancellationToken.None);
        Assert.StartsWith("421 4.3.2", Encoding.ASCII.GetString(output.ToArray()));
    }

    [Fact]
    public async Task A_listener_that_needs_what_the_server_lacks_is_refused()
    {
        await using var server = new SmtpServer(new SmtpServerOptions { Store = new MemoryStore(), Policy = new TestPolicy() });
        var refused = await Assert.ThrowsAsync<ArgumentException>(() =>
            server.ServeAsync(Stream.Null, new IPEndPoint(IPAddress.Loopback, 1), Lone with { Tls = TlsMode.Implicit }, CancellationToken.None));
        Assert.Contains("no certificate is given", refused.Message);
    }

    [Fact]
    public async Task Every_step_is_told_in_order_and_never_a_secret()
    {
        var events = new Told();
        await using var server = Start(options => options.Events = events);
        await using (var client = await LoggedInAsync(server))
        {
            await client.SayAsync("MAIL FROM:<lisa@example.org>", "250");
            await client.SayAsync("RSET", "250");
            await client.SendAsync("lisa@example.org", "bart@example.net", "x\r\n");
            await client.SayAsync("QUIT", "221");
        }

        await events.Closed;
        Assert.Equal(
            [
                "connected", "EHLO", "STARTTLS", "tls", "EHLO", "AUTH", "login lisa", "MAIL", "sender <lisa@example.org>", "RSET", "reset",
                "MAIL", "sender <lisa@example.org>", "RCPT", "recipient bart@example.net", "DATA", "stored", "QUIT", "closed quit",
            ],
            events.Lines);
    }

    [Fact]
    public async Task Events_that_throw_lose_no_message_and_no_session()
    {
        var store = new MemoryStore();
        var events = new Throwing();
        await using var server = Start(options => (options.Store, options.Events) = (store, events));
        for (var i = 0; i < 2; i++)
        {
            await using var client = await LoggedInAsync(server);
            Assert.StartsWith("250 2.0.0 Queued as", await client.SendAsync("lisa@example.org", "bart@example.net", "x\r\n"));
            await client.SayAsync("VRFY", "5");
            await client.SayAsync("QUIT", "221");
        }

        Assert.Equal(2, store.Messages.Count);
        Assert.True(events.Faults > 0);
    }

    /// <summary>The lines of this file from one to another, without their indent.</summary>
    private static string Snippet(string first, string last)
    {
        var lines = File.ReadAllLines(SourceTree.PathOf("tests/Postern.Smtp.Tests/Embedding/EmbeddedServerTests.cs")).Select(static l => l.Length > 8 ? l[8..] : l);
        var from = lines.SkipWhile(l => !l.StartsWith(first, StringComparison.Ordinal)).ToList();
        return string.Join('\n', from[..(from.FindIndex(l => l.Contains(last, StringComparison.Ordinal)) + 1)]);
    }

    private static readonly SmtpListenerOptions Lone = new() { Name = "lone", Tls = TlsMode.None };

    private static SmtpServer Start(Action<SmtpServerOptions> change)
    {
        var options = new SmtpServerOptions { Tls = new TlsOptions(TestCertificate.Instance), Store = new MemoryStore() };
        options.Authenticate(static (user, password, _) => new(user == "lisa" && password.Matches("tiger")));
        options.Listen(0);
        change(options);
        var server = new SmtpServer(options);
        server.Start();
        return server;
    }

    private static async Task<SmtpDialogue> LoggedInAsync(SmtpServer server)
    {
        var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.StartTlsAsync();
        await client.LogInAsync("lisa", "tiger");
        return client;
    }

    private sealed class Told : ISmtpEvents
    {
        private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> Lines { get; } = new();

        public Task Closed => closed.Task;

        public void OnConnected(SessionState session) => Lines.Enqueue("connected");

        public void OnCommand(SessionState session, string verb) => Lines.Enqueue(verb);

        public void OnTlsStarted(SessionState session) => Lines.Enqueue("tls");

        public void OnLogin(SessionState session, LoginAttempt attempt) => Lines.Enqueue($"login {attempt.Identity?.AuthorizationId}");

        public void OnSender(SessionState session, Transaction transaction) => Lines.Enqueue($"sender {transaction.Sender}");

        public void OnRecipient(SessionState session, Transaction transaction, Mailbox recipient) => Lines.Enqueue($"recipient {recipient}");

        public void OnReset(SessionState session) => Lines.Enqueue("reset");

        public void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome) => Lines.Enqueue(outcome is StoreOutcome.Stored ? "stored" : "not stored");

        public void OnClosed(SessionState session, string reason)
        {
            Lines.Enqueue($"closed {reason}");
            closed.SetResult();
        }
    }

    private sealed class Throwing : ISmtpEvents
    {
        private int faults;

        public int Faults => Volatile.Read(ref faults);

        public void OnConnected(SessionState session) => throw new InvalidOperationException();

        public void OnCommand(SessionState session, string verb) => throw new InvalidOperationException();

        public void OnTlsStarted(SessionState session) => throw new InvalidOperationException();

        public void OnLogin(SessionState session, LoginAttempt attempt) => throw new InvalidOperationException();

        public void OnSender(SessionState session, Transaction transaction) => throw new InvalidOperationException();

        public void OnRecipient(SessionState session, Transaction transaction, Mailbox recipient) => throw new InvalidOperationException();

        public void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome) => throw new InvalidOperationException();

        public void OnRefused(SessionState session, string verb, Reply reply) => throw new InvalidOperationException();

        public void OnClosed(SessionState session, string reason) => throw new InvalidOperationException();

        public void OnFault(SessionState session, Exception fault)
        {
            Interlocked.Increment(ref faults);
            throw new InvalidOperationException();
        }
    }

    private sealed class Faults(ConcurrentQueue<Exception> faults) : ISmtpEvents
    {
        public void OnFault(SessionState session, Exception fault) => faults.Enqueue(fault);
    }
}
