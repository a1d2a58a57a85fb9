using System.Net;
using Postern.Testing;

namespace Postern.Tests.Examples;

/// <summary>docs/examples that say who may send what, as other servers have it: each does what that server's documentation says.</summary>
public sealed class PolicyExamplesTests
{
    private const string Header = "Subject: hello\r\n\r\nBody\r\n";

    private static readonly IPAddress Listed = IPAddress.Parse("127.0.0.9");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>"Relay access denied" means that the client has not logged in.</summary>
    [Fact]
    public async Task Ispmail_lets_logins_and_its_own_networks_out_and_everybody_in()
    {
        await using var server = new ExampleServer("ispmail", ("198.51.100.0/24", "127.0.0.9/32"));
        await server.StartAsync();
        await AddAsync(server, "lisa@example.org", "correct horse");
        await AddAsync(server, "bart@example.org", "correct horse");

        await using (var stranger = await SmtpDialogue.GreetAsync(server.Of("smtp")))
        {
            await stranger.SayAsync("MAIL FROM:<x@example.com>", "250");
            await stranger.SayAsync("RCPT TO:<y@example.net>", "550 5.7.1 <y@example.net>: Relay access denied (ref ");
            await stranger.SayAsync("RCPT TO:<lisa@example.org>", "250");
            await stranger.SayAsync("RSET", "250");
            await stranger.SayAsync("MAIL FROM:<lisa@example.org>", "550 5.7.1");
        }

        await using (var early = await SmtpDialogue.GreetAsync(server.Of("submission")))
        {
            Assert.DoesNotContain("AUTH", await early.AskAsync("EHLO client.example"), StringComparison.Ordinal);
            await early.SayAsync("MAIL FROM:<x@example.com>", "250");
            await early.SayAsync("RCPT TO:<y@example.net>", "530 5.7.0 ");
        }

        await using (var login = await SecureAsync(server, "submission"))
        {
            await login.LogInAsync("lisa@example.org", "correct horse");
            Assert.StartsWith("250 ", await login.SendAsync("lisa@example.org", "y@example.net", Header), StringComparison.Ordinal);
            await login.SayAsync("MAIL FROM:<bart@example.org>", "553 5.7.1 <bart@example.org>: Sender address rejected: not owned by user lisa@example.org");
        }

        await SendsAsync(server, "smtp", "x@example.com");
    }

    [Fact]
    public async Task Pymta_binds_logins_to_their_address_or_domain_and_networks_to_one_domain()
    {
        await using var server = new ExampleServer("pymta");
        await server.StartAsync();
        await AddAsync(server, "lisa@example.org", "correct horse");
        await AddAsync(server, "boss@example.org", "battery staple", "--domain", "example.org");
        await server.Run.PosternAsync("domain", "add", "example.org");
        await server.Run.PosternAsync("network", "add", "127.0.0.9/32", "--domain", "example.org");

        await using (var session = await SmtpDialogue.GreetAsync(server.Of("plain")))
        {
            await session.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("lisa@example.org", "wrong")}", "535 5.7.8 ");
            await session.LogInAsync("lisa@example.org", "correct horse");
            await session.SayAsync("MAIL FROM:<boss@example.org>", "553 5.7.1 ");
            await session.SayAsync("MAIL FROM:<lisa@example.com>", "550 5.7.1 ");
            Assert.StartsWith("250 ", await session.SendAsync("lisa@example.org", "y@example.net", Header), StringComparison.Ordinal);
        }

        await using (var session = await SecureAsync(server, "tls"))
        {
            await session.LogInAsync("boss@example.org", "battery staple");
            Assert.StartsWith("250 ", await session.SendAsync("anybody@example.org", "y@example.net", Header), StringComparison.Ordinal);
        }

        await using (var stranger = await SmtpDialogue.GreetAsync(server.Of("plain")))
        {
            await stranger.SayAsync("MAIL FROM:<lisa@example.org>", "530 5.7.0 ");
            await stranger.SayAsync("MAIL FROM:<x@example.com>", "250");
            await stranger.SayAsync("RCPT TO:<y@example.net>", "530 5.7.0 ");
        }

        await SendsAsync(server, "plain", "robot@example.org");
        await using var elsewhere = await SmtpDialogue.GreetAsync(server.Of("plain"), source: Listed);
        await elsewhere.SayAsync("MAIL FROM:<robot@example.com>", "250");
        await elsewhere.SayAsync("RCPT TO:<y@example.net>", "530 5.7.0 ");
    }

    [Fact]
    public async Task Kumomta_relays_to_and_from_its_listener_domains_and_a_tenant_is_named_by_its_own_logins_only()
    {
        await using var server = new ExampleServer("kumomta");
        await server.StartAsync();
        await server.Run.PosternAsync("account", "add", "scott", "--address", "scott@example.org");
        await server.Run.PosternAsync("account", "add", "mallory", "--address", "mallory@example.org");
        await server.Run.PosternAsync("domain", "add", "example.org");
        await server.Run.PosternAsync("network", "add", "127.0.0.9/32", "--domain", "example.org");

        await using (var stranger = await SmtpDialogue.GreetAsync(server.Of("esmtp")))
        {
            await stranger.SayAsync("MAIL FROM:<x@example.com>", "250");
            await stranger.SayAsync("RCPT TO:<y@example.net>", "530 5.7.0 ");
            await stranger.SayAsync("RCPT TO:<y@relayto.example>", "250");
        }

        await SendsAsync(server, "esmtp", "robot@example.org");
        await server.Sink.NextMessageAsync();

        await using (var scott = await SecureAsync(server, "esmtp"))
        {
            await scott.LogInAsync("scott", "tiger");
            Assert.StartsWith("250 ", await scott.SendAsync("scott@example.org", "y@example.net", "X-Tenant: mytenant\r\n" + Header), StringComparison.Ordinal);
            Assert.DoesNotContain("X-Tenant", (await server.Sink.NextMessageAsync()).Text, StringComparison.OrdinalIgnoreCase);
            await server.FlushAsync();
            Assert.Contains((await server.Run.JsonAsync("log", "mail", "--tenant", "mytenant")).EnumerateArray(), static e => e.GetProperty("event").GetString() == "accepted");
        }

        await using var mallory = await SecureAsync(server, "esmtp");
        await mallory.LogInAsync("mallory", "lion");
        foreach (var spelling in new[] { "X-Tenant: mytenant", "x-TENANT : mytenant", "X-Tenant:\r\n mytenant" })
            Assert.StartsWith(
                "550 5.7.1 X-Tenant rejected: user mallory may not name this tenant (ref ",
                await mallory.SendAsync("mallory@example.org", "y@example.net", spelling + "\r\n" + Header),
                StringComparison.Ordinal);
    }

    [Fact]
    public async Task Momentums_relay_hosts_need_no_login_and_others_log_in_by_digest()
    {
        await using var server = new ExampleServer("momentum", ("198.51.100.0/24", "127.0.0.9/32"));
        await server.StartAsync();
        await SendsAsync(server, "esmtp", "x@example.com");
        await using (var stranger = await SmtpDialogue.GreetAsync(server.Of("esmtp")))
        {
            await stranger.SayAsync("MAIL FROM:<x@example.com>", "250");
            await stranger.SayAsync("RCPT TO:<y@example.net>", "530 5.7.0 ");
            await stranger.SayAsync("RCPT TO:<lisa@example.org>", "250");
        }

        await using var login = await SecureAsync(server, "esmtp");
        await login.LogInAsync("lisa@example.org", "tiger");
        Assert.StartsWith("250 ", await login.SendAsync("lisa@example.org", "y@example.net", Header), StringComparison.Ordinal);

        // As docs/acctlog.md has them: the stranger is refused, the login succeeds and may relay.
        var lines = await AccountingAsync(server, "@RCPT TO:<y\\@example.net>@permit_authenticated");
        Assert.Contains(lines, static line => line.Contains("@RCPT TO:<y\\@example.net>@reject_unauth_destination", StringComparison.Ordinal) && line.Contains("@@0@", StringComparison.Ordinal));
        Assert.Contains(lines, static line => line.Contains("@N@esmtp@", StringComparison.Ordinal) && line.EndsWith("@lisa\\@example.org@1", StringComparison.Ordinal));
    }

    /// <summary>The accounting log, when it has such a line.</summary>
    private static async Task<string[]> AccountingAsync(ExampleServer server, string end)
    {
        var path = Path.Combine(server.Run.Data, "logs", "acctlog");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var lines = File.Exists(path) ? await File.ReadAllLinesAsync(path, patience.Token) : [];
            if (lines.Any(line => line.EndsWith(end, StringComparison.Ordinal)))
                return lines;
            await looks.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>A client of the listed network, without a login.</summary>
    private static async Task SendsAsync(ExampleServer server, string listener, string from)
    {
        await using var session = await SmtpDialogue.GreetAsync(server.Of(listener), source: Listed);
        Assert.StartsWith("250 ", await session.SendAsync(from, "y@example.net", Header), StringComparison.Ordinal);
    }

    private static async Task AddAsync(ExampleServer server, string account, string password, params string[] more)
    {
        await server.Run.PosternAsync(["account", "add", account, .. more]);
        await server.Run.WithInputAsync(password, "credential", "add", account, "--password-stdin");
    }

    private static async Task<SmtpDialogue> SecureAsync(ExampleServer server, string listener)
    {
        var session = await SmtpDialogue.GreetAsync(server.Of(listener));
        await session.StartTlsAsync();
        return session;
    }
}
