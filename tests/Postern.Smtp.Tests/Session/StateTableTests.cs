using System.Net;
using Postern.Sasl;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>
/// Every verb in every phase, on listeners of every TLS mode, in clear and under TLS, with and without AUTH, logged in or not, alone or with a command
/// behind it: the reply is the one written here, and there is exactly one.
/// </summary>
public sealed class StateTableTests : IDisposable
{
    private const string Login = "AUTH PLAIN AGFsaWNlAHNlY3JldA==";

    /// <summary>The chunk stands behind its command; were it read as commands, there would be two replies.</summary>
    private const string Chunk = "BDAT 12\r\nNOOP\r\nNOOP";

    /// <summary>
    /// One line a verb, in the order of the verb table: the replies in each phase where TLS is offered and not yet on and nobody is logged in, and the
    /// reply on a listener that requires TLS, before it. What else changes a reply stands in <see cref="Expected"/>.
    /// </summary>
    private static readonly StateTableRow[] Table =
    [
        new("EHLO c", Connected: 250, Ready: 250, Mail: 250, Rcpt: 250, Bdat: 250, BeforeTls: 250),
        new("HELO c", Connected: 250, Ready: 250, Mail: 250, Rcpt: 250, Bdat: 250, BeforeTls: 250),
        new("LHLO c", Connected: 500, Ready: 500, Mail: 500, Rcpt: 500, Bdat: 500, BeforeTls: 500),
        new("STARTTLS", Connected: 220, Ready: 220, Mail: 503, Rcpt: 503, Bdat: 503, BeforeTls: 220),
        new(Login, Connected: 503, Ready: 235, Mail: 503, Rcpt: 503, Bdat: 503, BeforeTls: 530),
        new("MAIL FROM:<a@example.org>", Connected: 503, Ready: 250, Mail: 503, Rcpt: 503, Bdat: 503, BeforeTls: 530),
        new("RCPT TO:<b@accepted.example>", Connected: 503, Ready: 503, Mail: 250, Rcpt: 250, Bdat: 503, BeforeTls: 530),
        new("DATA", Connected: 503, Ready: 503, Mail: 554, Rcpt: 354, Bdat: 503, BeforeTls: 530),
        new(Chunk, Connected: 503, Ready: 503, Mail: 554, Rcpt: 250, Bdat: 250, BeforeTls: 530),
        new("RSET", Connected: 250, Ready: 250, Mail: 250, Rcpt: 250, Bdat: 250, BeforeTls: 250),
        new("NOOP", Connected: 250, Ready: 250, Mail: 250, Rcpt: 250, Bdat: 250, BeforeTls: 250),
        new("VRFY x", Connected: 530, Ready: 530, Mail: 530, Rcpt: 530, Bdat: 530, BeforeTls: 530),
        new("EXPN x", Connected: 502, Ready: 502, Mail: 502, Rcpt: 502, Bdat: 502, BeforeTls: 530),
        new("ETRN example.org", Connected: 503, Ready: 502, Mail: 503, Rcpt: 503, Bdat: 503, BeforeTls: 530),
        new("XCLIENT ADDR=192.0.2.1", Connected: 550, Ready: 550, Mail: 503, Rcpt: 503, Bdat: 503, BeforeTls: 530),
        new("XFORWARD ADDR=192.0.2.1", Connected: 503, Ready: 550, Mail: 503, Rcpt: 503, Bdat: 503, BeforeTls: 530),
        new("HELP", Connected: 214, Ready: 214, Mail: 214, Rcpt: 214, Bdat: 214, BeforeTls: 214),
        new("QUIT", Connected: 221, Ready: 221, Mail: 221, Rcpt: 221, Bdat: 221, BeforeTls: 221),
    ];

    private static readonly Phase[] Phases = [Phase.Connected, Phase.Ready, Phase.Mail, Phase.Rcpt, Phase.Bdat];

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    public static TheoryData<MailProtocol, TlsMode, AuthMode, bool, bool, bool> Variants()
    {
        var data = new TheoryData<MailProtocol, TlsMode, AuthMode, bool, bool, bool>();
        foreach (var variant in StateTableVariant.All)
            data.Add(variant.Protocol, variant.Tls, variant.Auth, variant.UnderTls, variant.LoggedIn, variant.Pipelined);
        return data;
    }

    [Fact]
    public void The_table_has_a_line_for_every_verb_in_the_order_of_the_verb_table()
    {
        foreach (var verb in VerbTable.All)
            Assert.True(Table.Any(row => row.Verb == verb.Name), $"{verb.Name} has no line in StateTableTests.Table");
        Assert.Equal(VerbTable.All.Select(static v => v.Name), Table.Select(static row => row.Verb));
    }

    [Fact]
    public void The_number_of_cells_is_the_one_that_the_documentation_states()
    {
        var cells = StateTableVariant.All.Sum(static v => Phases.Count(v.Reaches)) * Table.Length;
        var page = File.ReadAllText(SourceTree.PathOf("docs/rfcs.md"));
        Assert.True(page.Contains($"{cells} cells", StringComparison.Ordinal), $"docs/rfcs.md does not say that the state table has {cells} cells");
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Every_cell_answers_once_and_as_written(MailProtocol protocol, TlsMode tls, AuthMode auth, bool underTls, bool loggedIn, bool pipelined)
    {
        var variant = new StateTableVariant(protocol, tls, auth, underTls, loggedIn, pipelined);
        await using var server = Start(variant);
        foreach (var phase in Phases.Where(variant.Reaches))
        {
            foreach (var row in Table)
            {
                await using var client = await ReachAsync(server, phase, variant);
                await CheckAsync(client, row.Command, Expected(row, phase, variant), pipelined, $"{phase}, {row.Command}");
            }
        }
    }

    public void Dispose() => patience.Dispose();

    private static int Expected(StateTableRow row, Phase phase, StateTableVariant variant) => row.Verb switch
    {
        "STARTTLS" when variant.Pipelined && variant is { UnderTls: false, Tls: not TlsMode.None } => 554,
        "STARTTLS" when variant.UnderTls => 503,
        "STARTTLS" when variant.Tls == TlsMode.None && phase <= Phase.Ready => 502,
        "AUTH" when variant.LoggedIn => 503,
        _ when variant.IsBeforeRequiredTls => row.BeforeTls,
        "AUTH" when variant.Auth == AuthMode.Off => 503,
        "VRFY" when variant.LoggedIn || variant.Auth == AuthMode.Off => 252,
        "EHLO" or "HELO" when variant.IsLmtp => 500,
        "LHLO" when variant.IsLmtp => 250,
        "DATA" or "BDAT" when variant.IsLmtp && phase == Phase.Mail => 503,
        _ => row.Reply(phase),
    };

    private async Task CheckAsync(RawClient client, string command, int expected, bool pipelined, string where)
    {
        // Behind DATA only content may come; a NOOP there would be read as such.
        var behind = pipelined && !(command == "DATA" && expected == 354);
        await client.SendAsync(command + "\r\n" + (behind ? "NOOP\r\n" : string.Empty), patience.Token);
        Assert.True((await client.ReadReplyAsync(patience.Token))?.StartsWith($"{expected}", StringComparison.Ordinal), $"{where}: expected {expected}");

        var closes = command == "QUIT" || (behind && ((command == "STARTTLS" && expected == 554) || (command == "DATA" && expected != 354)));
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

    private async Task<RawClient> ReachAsync(SmtpServer server, Phase phase, StateTableVariant variant)
    {
        var client = await RawClient.ConnectAsync(server, patience.Token);
        if (variant.Tls == TlsMode.Implicit)
            await client.StartTlsAsync(patience.Token);
        await client.ReadReplyAsync(patience.Token);
        if (variant.UnderTls && variant.Tls != TlsMode.Implicit)
        {
            await client.SayAsync("STARTTLS", patience.Token);
            await client.StartTlsAsync(patience.Token);
        }

        if (phase >= Phase.Ready)
            await client.SayAsync(variant.IsLmtp ? "LHLO c" : "EHLO c", patience.Token);
        if (variant.LoggedIn)
            Assert.StartsWith("235", await client.SayAsync(Login, patience.Token));
        if (phase >= Phase.Mail)
            Assert.StartsWith("250", await client.SayAsync("MAIL FROM:<a@example.org>", patience.Token));
        if (phase >= Phase.Rcpt)
            Assert.StartsWith("250", await client.SayAsync("RCPT TO:<b@accepted.example>", patience.Token));
        if (phase >= Phase.Bdat)
            Assert.StartsWith("250", await client.SayAsync("BDAT 3\r\na", patience.Token));
        return client;
    }

    private static SmtpServer Start(StateTableVariant variant)
    {
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Protocol = variant.Protocol, Tls = variant.Tls, Auth = variant.Auth }],
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
