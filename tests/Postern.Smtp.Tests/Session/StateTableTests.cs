using System.Net;
using Postern.Sasl;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>
/// Every verb in every phase, in clear, under TLS, on a listener that requires TLS, logged in or not, alone or with a command behind it:
/// the reply is the one written here, and there is exactly one.
/// </summary>
public sealed class StateTableTests : IDisposable
{
    private const string Login = "AUTH PLAIN AGFsaWNlAHNlY3JldA==";

    /// <summary>The chunk stands behind its command; were it read as commands, there would be two replies.</summary>
    private const string Chunk = "BDAT 12\r\nNOOP\r\nNOOP";

    private static readonly string[] Verbs = ["EHLO c", "HELO c", "LHLO c", "STARTTLS", Login, "MAIL FROM:<a@example.org>", "RCPT TO:<b@accepted.example>", "DATA", Chunk, "RSET", "NOOP", "VRFY x", "EXPN x", "ETRN example.org", "XCLIENT ADDR=192.0.2.1", "XFORWARD ADDR=192.0.2.1", "HELP", "QUIT"];

    /// <summary>One row a phase, one column a verb, in the order above. TLS is offered and not yet on, nobody is logged in.</summary>
    private static readonly Dictionary<Phase, int[]> Replies = new()
    {
        [Phase.Connected] = [250, 250, 500, 220, 503, 503, 503, 503, 503, 250, 250, 530, 502, 503, 550, 503, 214, 221],
        [Phase.Ready] = [250, 250, 500, 220, 235, 250, 503, 503, 503, 250, 250, 530, 502, 502, 550, 550, 214, 221],
        [Phase.Mail] = [250, 250, 500, 503, 503, 503, 250, 554, 554, 250, 250, 530, 502, 503, 503, 503, 214, 221],
        [Phase.Rcpt] = [250, 250, 500, 503, 503, 503, 250, 354, 250, 250, 250, 530, 502, 503, 503, 503, 214, 221],
        [Phase.Bdat] = [250, 250, 500, 503, 503, 503, 503, 503, 250, 250, 250, 530, 502, 503, 503, 503, 214, 221],
    };

    /// <summary>On a listener that requires TLS, before it; phases beyond Ready cannot be reached.</summary>
    private static readonly int[] BeforeRequiredTls = [250, 250, 500, 220, 530, 530, 530, 530, 530, 250, 250, 530, 530, 530, 530, 530, 214, 221];

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    public static TheoryData<bool, bool, bool> Variants() => new()
    {
        { false, false, false },
        { false, false, true },
        { false, true, false },
        { false, true, true },
        { true, false, false },
        { true, false, true },
        { true, true, false },
        { true, true, true },
    };

    [Fact]
    public void The_table_has_a_column_for_every_verb() =>
        Assert.Equal(VerbTable.All.Select(static v => v.Name), Verbs.Select(static v => v.Split(' ')[0]));

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Every_cell_answers_once_and_as_written(bool underTls, bool loggedIn, bool pipelined)
    {
        await using var server = Start(TlsMode.StartTls);
        foreach (var (phase, codes) in Replies)
        {
            if (loggedIn && phase == Phase.Connected)
                continue;
            for (var column = 0; column < Verbs.Length; column++)
            {
                await using var client = await ReachAsync(server, phase, underTls, loggedIn);
                var expected = Expected(Verbs[column], codes[column], underTls, loggedIn, pipelined);
                await CheckAsync(client, Verbs[column], expected, pipelined, $"{phase}, {Verbs[column]}");
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_tls_is_required_nothing_that_matters_comes_before_it(bool afterEhlo)
    {
        await using var server = Start(TlsMode.Required);
        for (var column = 0; column < Verbs.Length; column++)
        {
            await using var client = await ReachAsync(server, afterEhlo ? Phase.Ready : Phase.Connected, underTls: false, loggedIn: false);
            await CheckAsync(client, Verbs[column], BeforeRequiredTls[column], pipelined: false, Verbs[column]);
        }
    }

    [Fact]
    public async Task A_random_pipeline_gets_exactly_one_reply_for_each_command()
    {
        // Nothing that changes who reads next: content, TLS, the end.
        string[] commands = [.. Verbs.Where(static v => v is not ("STARTTLS" or "DATA" or "QUIT")), "MAIL FROM:<", "RCPT TO:<x@elsewhere.example>", "AUTH PLAIN =", "AUTH X", "XYZZY", "", "HELP MAIL"];
        await using var server = Start(TlsMode.None);
        var random = new Random(20);
        for (var round = 0; round < 200; round++)
        {
            await using var client = await RawClient.ConnectAsync(server, patience.Token);
            await client.ReadReplyAsync(patience.Token);
            var group = Enumerable.Range(0, random.Next(1, 60)).Select(_ => commands[random.Next(commands.Length)]).ToList();
            await client.SendAsync(string.Concat(group.Select(static c => c + "\r\n")) + "QUIT\r\n", patience.Token);
            foreach (var command in group)
                Assert.False((await client.ReadReplyAsync(patience.Token))?.StartsWith("221", StringComparison.Ordinal) ?? true, command);
            Assert.StartsWith("221 ", await client.ReadReplyAsync(patience.Token));
            Assert.Null(await client.ReadReplyAsync(patience.Token));
        }
    }

    public void Dispose() => patience.Dispose();

    private static int Expected(string command, int usual, bool underTls, bool loggedIn, bool pipelined) => command switch
    {
        "STARTTLS" when pipelined => 554,
        "STARTTLS" when underTls => 503,
        Login when loggedIn => 503,
        "VRFY x" when loggedIn => 252,
        _ => usual,
    };

    private async Task CheckAsync(RawClient client, string command, int expected, bool pipelined, string where)
    {
        // Behind DATA only content may come; a NOOP there would be read as such.
        var behind = pipelined && !(command == "DATA" && expected == 354);
        await client.SendAsync(command + "\r\n" + (behind ? "NOOP\r\n" : string.Empty), patience.Token);
        Assert.True((await client.ReadReplyAsync(patience.Token))?.StartsWith($"{expected}", StringComparison.Ordinal), $"{where}: expected {expected}");

        var closes = command == "QUIT" || (behind && (command == "STARTTLS" || (command == "DATA" && expected != 354)));
        if (closes)
        {
            Assert.Null(await client.ReadReplyAsync(patience.Token));
            return;
        }

        if (expected == 220)
            return;
        if (expected == 354)
            Assert.StartsWith("250 2.0.0 Queued", await client.SayAsync(".", patience.Token));
        if (behind)
            Assert.Equal("250 2.0.0 Ok", await client.ReadReplyAsync(patience.Token));
        Assert.Equal("250 2.0.0 Ok", await client.SayAsync("NOOP", patience.Token));
    }

    private async Task<RawClient> ReachAsync(SmtpServer server, Phase phase, bool underTls, bool loggedIn)
    {
        var client = await RawClient.ConnectAsync(server, patience.Token);
        await client.ReadReplyAsync(patience.Token);
        if (underTls)
        {
            await client.SayAsync("STARTTLS", patience.Token);
            await client.StartTlsAsync(patience.Token);
        }

        if (phase >= Phase.Ready)
            await client.SayAsync("EHLO c", patience.Token);
        if (loggedIn)
            Assert.StartsWith("235", await client.SayAsync(Login, patience.Token));
        if (phase >= Phase.Mail)
            Assert.StartsWith("250", await client.SayAsync("MAIL FROM:<a@example.org>", patience.Token));
        if (phase >= Phase.Rcpt)
            Assert.StartsWith("250", await client.SayAsync("RCPT TO:<b@accepted.example>", patience.Token));
        if (phase >= Phase.Bdat)
            Assert.StartsWith("250", await client.SayAsync("BDAT 3\r\na", patience.Token));
        return client;
    }

    private static SmtpServer Start(TlsMode tls)
    {
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = tls, Auth = AuthMode.Always }],
            Policy = new TestPolicy(),
            Store = new MemoryStore(),
            Tls = new TlsOptions(TestCertificate.Instance),
            Sasl = new SaslContext { Passwords = new TestPasswords("alice:secret") },
            Limits = new SessionLimits { BadCommands = 1000, FailedLogins = 1000 },
        });
        server.Start();
        return server;
    }
}
