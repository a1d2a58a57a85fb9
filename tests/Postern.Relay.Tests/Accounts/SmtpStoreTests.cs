using System.Globalization;
using System.Net;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Upstream;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A login at a mail server that is a login here: what each answer of that server means, and what becomes of its sessions.</summary>
public sealed class SmtpStoreTests : IAsyncDisposable
{
    private const string Lisa = "lisa@example.org";

    private readonly DirectoryFixture fixture = new();
    private readonly ScriptedSink sink = new(Offering("PLAIN LOGIN"));
    private readonly List<IDisposable> opened = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        opened.ForEach(static one => one.Dispose());
        await sink.DisposeAsync();
        fixture.Dispose();
    }

    [Theory]
    [InlineData("535 5.7.8 Error: authentication failed", "it says: 535 5.7.8 Error: authentication failed")]
    [InlineData("535 Incorrect authentication data", "it says: 535 Incorrect authentication data")]
    [InlineData("550 5.7.8 Bad credentials", "it says: 550 5.7.8 Bad credentials")]
    [InlineData("525 5.7.13 User account disabled", "the account is disabled there: 525 5.7.13 User account disabled")]
    [InlineData("550 5.7.13 Suspended", "the account is disabled there: 550 5.7.13 Suspended")]
    [InlineData("535 5.7.8 No such user lisa@EXAMPLE.org", "it says: 535 5.7.8 (the text repeats the name)")]
    public async Task Some_refusals_say_that_the_login_is_wrong(string reply, string reason)
    {
        Answer(reply);
        Assert.Equal(reason, Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Open(), "tiger")).Reason);
    }

    [Theory]
    [InlineData("454 4.7.0 Temporary authentication failure", "it cannot check logins for now: 454 4.7.0 Temporary authentication failure")]
    [InlineData("421 4.3.2 Shutting down", "it leaves: 421 4.3.2 Shutting down")]
    [InlineData("432 4.7.12 A password transition is needed", "it wants the password once by PLAIN")]
    [InlineData("451 4.3.0 Try later", "it cannot answer for now: 451")]
    [InlineData("500 5.5.2 What?", "it takes no AUTH here: 500")]
    [InlineData("503 5.5.1 AUTH not allowed", "it takes no AUTH here: 503")]
    [InlineData("504 5.5.4 Unrecognized", "it does not know PLAIN, which it offers: 504")]
    [InlineData("530 5.7.0 Must issue a STARTTLS command first", "it wants something else before AUTH: 530")]
    [InlineData("534 5.7.9 Application-specific password required", "it takes PLAIN for too weak, or wants another kind of password for this user: 534")]
    [InlineData("538 5.7.11 Encryption required", "it wants TLS before PLAIN: 538")]
    [InlineData("554 5.7.1 lisa@example.org: no", "it neither takes the login nor says that it is wrong: 554 5.7.1 (the text repeats the name)")]
    [InlineData("334 VXNlcm5hbWU6", "AUTH PLAIN: ")]
    [InlineData("250 Ok", "AUTH PLAIN: the server answered AUTH out of step, with 250")]
    public async Task All_other_answers_are_none(string reply, string reason)
    {
        Answer(reply);
        Assert.StartsWith(reason, Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(), "tiger")).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SinkPhase.Connect, "421 4.7.0 Too many connections", "it turns this server away: 421 4.7.0 Too many connections")]
    [InlineData(SinkPhase.Connect, "554 5.7.1 Blocked", "it turns this server away: 554 5.7.1 Blocked")]
    [InlineData(SinkPhase.Ehlo, "421 4.3.0 Not now", "it refuses EHLO: 421 4.3.0 Not now")]
    [InlineData(SinkPhase.Ehlo, "250 sink.test", "it offers no AUTH, on a connection without TLS")]
    public async Task A_server_that_comes_to_no_login_is_quoted(SinkPhase phase, string reply, string reason)
    {
        sink.Options = SinkOptions.At(phase, new SinkAction.Reply(reply));
        Assert.Equal(reason, Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(), "tiger")).Reason);
        Assert.Equal(reason, await Open().ProbeAsync(Ct));
    }

    [Theory]
    [InlineData(SinkPhase.Connect)]
    [InlineData(SinkPhase.Ehlo)]
    [InlineData(SinkPhase.Auth)]
    public async Task A_server_that_hangs_up_is_none(SinkPhase phase)
    {
        sink.Options = Offering("PLAIN") with { Script = (at, _, _) => at == phase ? new SinkAction.Abort() : null };
        Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(), "tiger"));
    }

    [Fact]
    public async Task The_password_goes_over_a_verified_connection_or_not_at_all()
    {
        sink.Options = Offering("PLAIN") with { Certificate = TestCertificate.Instance };
        Assert.StartsWith("TLS: ", Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(("tls", "verify")), "tiger")).Reason, StringComparison.Ordinal);
        sink.Options = Offering("PLAIN");
        Assert.Equal(
            "TLS: TLS is required and the server does not offer STARTTLS", Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(("tls", "verify")), "tiger")).Reason);
        Assert.DoesNotContain(Enumerable.Range(0, sink.Connections).SelectMany(sink.Transcript), static line => line.StartsWith("C: AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_password_that_no_login_can_have_is_not_sent()
    {
        foreach (var octets in new[] { ""u8.ToArray(), "tig\0er"u8.ToArray(), [0xff, 0xfe] })
            Assert.IsType<LoginAnswer.NoMatch>(await Open().CheckPasswordAsync(Lisa, new Password(octets), Ct));
        Assert.Equal(0, sink.Connections);
    }

    [Fact]
    public async Task Names_without_a_domain_get_one()
    {
        var store = Open(("domain", "Example.ORG"));
        Assert.IsType<LoginAnswer.Match>(await store.CheckPasswordAsync("lisa", new Password("tiger"u8.ToArray()), Ct));
        Assert.Equal($"C: AUTH PLAIN {SmtpDialogue.Plain(Lisa, "tiger")}", sink.Transcript(0).Single(static line => line.StartsWith("C: AUTH", StringComparison.Ordinal)));
        var login = Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa", Ct)).Stored;
        Assert.True(login is { IsPresumed: true, IsCheckedByStore: true });
        Assert.Equal((Lisa, Lisa), (login.Account.Addresses.Single(), login.Account.Name));
    }

    [Fact]
    public async Task A_session_is_used_again_after_a_wrong_password_and_never_after_a_right_one()
    {
        sink.Options = Offering("PLAIN") with { Script = static (at, line, _) => at == SinkPhase.Auth && !line.EndsWith(SmtpDialogue.Plain(Lisa, "tiger"), StringComparison.Ordinal) ? new SinkAction.Reply("535 5.7.8 No") : null };
        var store = Open();
        foreach (var password in new[] { "one", "two", "three", "four", "tiger" })
            Assert.Equal(password == "tiger", await CheckAsync(store, password) is LoginAnswer.Match);
        var used = Logins();
        Assert.All(used, static logins => Assert.InRange(logins.Length, 0, ReadyConnections.MostFailures));
        Assert.Equal(5, used.Sum(static logins => logins.Length));
        Assert.All(used, static logins => Assert.DoesNotContain(logins.SkipLast(1), static line => line.EndsWith(SmtpDialogue.Plain(Lisa, "tiger"), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Sessions_wait_for_a_while_and_only_a_few()
    {
        Answer("535 5.7.8 No");
        var store = Open();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => store.CheckPasswordAsync(Lisa, new Password(Encoding.ASCII.GetBytes($"wrong {i}")), Ct).AsTask()));
        Assert.InRange(store.Ready.Count, 1, ReadyConnections.Most);
        fixture.Clock.Advance(ReadyConnections.KeptFor);
        Assert.Equal(0, store.Ready.Count);
    }

    [Fact]
    public async Task A_session_that_the_server_has_ended_meanwhile_costs_nobody_a_login()
    {
        var first = true;
        sink.Options = Offering("PLAIN") with
        {
            Script = (at, _, connection) => at != SinkPhase.Auth ? null
                : connection > 0 ? null
                : first ? First()
                : new SinkAction.Reply("421 4.4.2 Idle for too long"),
        };
        var store = Open();
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, "wrong"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "tiger"));

        SinkAction First()
        {
            first = false;
            return new SinkAction.Reply("535 5.7.8 No");
        }
    }

    [Fact]
    public async Task A_server_that_bears_our_name_is_not_asked()
    {
        sink.Options = SinkOptions.At(SinkPhase.Ehlo, new SinkAction.Reply("250-mail.example.org\r\n250 AUTH PLAIN"));
        Assert.StartsWith("it calls itself mail.example.org, which is this server's name", Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(), "tiger")).Reason, StringComparison.Ordinal);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Open(("same_name", "true")), "tiger"));
    }

    [Fact]
    public async Task Scram_shows_no_password_unless_plain_is_wanted()
    {
        sink.Options = Offering("PLAIN SCRAM-SHA-256") with { Script = static (at, line, _) => at == SinkPhase.Auth && line.Contains("SCRAM", StringComparison.Ordinal) ? new SinkAction.Reply("235 2.7.0 Anybody") : null };
        var unproven = Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(Open(), "tiger"));
        Assert.Equal("AUTH SCRAM-SHA-256: the server says that the login succeeded and has not proven that it knows the password", unproven.Reason);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Open(("mechanism", "plain")), "tiger"));
    }

    [Theory]
    [InlineData("smtp://", "it names no host; such as smtp://mail.example.net:587")]
    [InlineData("smtp://lisa:tiger@mail.example.net", "a login has no place in the URI: everybody logs in there as himself; such as smtp://mail.example.net:587")]
    [InlineData("smtp://mail.example.net:port", "what stands behind ':' is no port; such as smtp://mail.example.net:587")]
    [InlineData("smtps://mail.example.net:0", "what stands behind ':' is no port; such as smtps://mail.example.net:465")]
    [InlineData("smtp://mail example.net", "it names no host; such as smtp://mail.example.net:587")]
    public void A_wrong_entry_says_how_it_is_written(string uri, string problem) => Assert.Equal(problem, AccountStores.WhyNot(new AccountSource(uri, "mail.example.org")));

    [Theory]
    [InlineData("smtp://mail.example.net", "mail.example.net", 587)]
    [InlineData("smtps://mail.example.net/", "mail.example.net", 465)]
    [InlineData("smtp://[2001:db8::1]:25", "2001:db8::1", 25)]
    public void A_port_that_is_not_written_is_that_of_submission(string uri, string host, int port)
    {
        var source = SmtpStore.Kind.Read(new StoreKeys(), new AccountSource(uri, "mail.example.org"));
        Assert.Equal(new DnsEndPoint(host, port), source.LoginServer);
    }

    [Fact]
    public void Passwords_in_clear_over_a_network_are_warned_of()
    {
        var source = SmtpStore.Kind.Read(new StoreKeys(("tls", "none")), new AccountSource("smtp://mail.example.net", "mail.example.org"));
        Assert.Equal(["tls: none: every password goes over the network in clear, for all to read"], SmtpStore.Kind.Warn(source));
        var keys = new StoreKeys(("tls", "none")) { Problems = [] };
        SmtpStore.SecureKind.Read(keys, new AccountSource("smtps://mail.example.net", "mail.example.org"));
        Assert.Single(keys.Problems!);
    }

    private static SinkOptions Offering(string mechanisms) => new() { Extensions = [$"AUTH {mechanisms}"] };

    private static async Task<LoginAnswer> CheckAsync(SmtpStore store, string password) => await store.CheckPasswordAsync(Lisa, new Password(Encoding.ASCII.GetBytes(password)), Ct);

    private void Answer(string reply) => sink.Options = Offering("PLAIN") with { Script = (at, _, _) => at == SinkPhase.Auth ? new SinkAction.Reply(reply) : null };

    private string[][] Logins() => [.. Enumerable.Range(0, sink.Connections).Select(i => sink.Transcript(i).Where(static line => line.StartsWith("C: AUTH", StringComparison.Ordinal)).ToArray())];

    private SmtpStore Open(params (string Key, string Value)[] keys)
    {
        var source = SmtpStore.Kind.Read(new StoreKeys(keys), new AccountSource(string.Create(CultureInfo.InvariantCulture, $"smtp://127.0.0.1:{sink.Port}"), "mail.example.org"));
        var store = (SmtpStore)SmtpStore.Kind.Open(fixture.StoreContext with { Hostname = Domain.Parse("mail.example.org") }, source);
        opened.Add(store);
        return store;
    }
}
