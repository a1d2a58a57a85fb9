using System.Globalization;
using System.Net;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Dovecot;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Dovecot;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A Dovecot that checks passwords: what each of its answers means, what it is told, and what becomes of the connection.</summary>
public sealed class DovecotStoreTests : IAsyncDisposable
{
    private const string Lisa = "lisa@example.org";

    private readonly DirectoryFixture fixture = new();
    private readonly ScriptedDovecot dovecot = new() { Answer = ScriptedDovecot.Welcoming("\tuser=" + Lisa) };
    private readonly List<IDisposable> opened = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        opened.ForEach(static one => one.Dispose());
        await dovecot.DisposeAsync();
        fixture.Dispose();
    }

    [Theory]
    [InlineData("", "Dovecot says that the login is wrong", false)]
    [InlineData("\tuser=lisa@example.org", "Dovecot says that the login is wrong", false)]
    [InlineData("\treason=Come later\u0001nX: y", "Dovecot says that the login is wrong: Come later?X: y", false)]
    [InlineData("\tuser=lisa@example.org\tcode=user_disabled", "the account is disabled in Dovecot", true)]
    [InlineData("\tuser_disabled", "the account is disabled in Dovecot", true)]
    [InlineData("\tcode=pass_expired\treason=Renew it", "the password has expired in Dovecot: Renew it", true)]
    [InlineData("\tpass_expired", "the password has expired in Dovecot", true)]
    [InlineData("\tcode=authz_fail", "Dovecot does not let this user log in as the other one", true)]
    [InlineData("\tauthz\treason=no LISA@example.org here", "Dovecot does not let this user log in as the other one: (the text repeats the name)", true)]
    public async Task Some_refusals_say_that_the_login_is_wrong(string fields, string reason, bool userExists)
    {
        dovecot.Answer = ScriptedDovecot.Failing(fields);
        Assert.Equal(new LoginAnswer.NoMatch(reason, userExists), await CheckAsync(Open()));
    }

    [Theory]
    [InlineData("\ttemp", "Dovecot cannot check logins for now, and its own log says why (temp_fail)")]
    [InlineData("\tuser=lisa@example.org\tcode=temp_fail\treason=Database is down", "Dovecot cannot check logins for now, and its own log says why (temp_fail): Database is down")]
    [InlineData("\tcode=invalid_base64", "Dovecot did not understand the question (invalid_base64)")]
    [InlineData("\tcode=of_tomorrow", "Dovecot says no for a reason that is not known here")]
    public async Task All_other_refusals_are_no_answer(string fields, string reason)
    {
        dovecot.Answer = ScriptedDovecot.Failing(fields);
        Assert.Equal(new LoginAnswer.Unavailable(reason), await CheckAsync(Open()));
    }

    [Theory]
    [InlineData("OK\t1\n", "it says yes and does not say to whom (no 'user')")]
    [InlineData("OK\t1\tuser=\n", "it says yes and does not say to whom (no 'user')")]
    [InlineData("OK\t1\tuser=a\u0001tb\n", "it logs in a user by a name that no account can have")]
    [InlineData("CONT\t1\t\n", "it wants more than a password")]
    [InlineData("CONT\t1\t!!\n", "what it has for the client is not base64")]
    [InlineData("OK\t7\tuser=lisa@example.org\n", "it answers a request that nobody has made")]
    [InlineData("OK\t0\tuser=lisa@example.org\n", "it answers a request that nobody has made")]
    [InlineData("OK\tx\tuser=lisa@example.org\n", "it answers and does not say to which request")]
    [InlineData("OK\n", "it answers and does not say to which request")]
    [InlineData("\n", "it says something that is no answer")]
    [InlineData("MECH\tPLAIN\n", "it says something that is no answer")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n", "it says something that is no answer")]
    public async Task What_is_no_answer_logs_nobody_in(string said, string reason)
    {
        dovecot.Answer = (_, _) => said;
        Assert.Equal(new LoginAnswer.Unavailable(reason), await CheckAsync(Open()));
    }

    [Fact]
    public async Task An_endless_line_ends_the_connection_and_the_next_login_has_another()
    {
        dovecot.Answer = static (line, connection) => connection == 0 ? new string('x', 10_000_000) : ScriptedDovecot.Welcoming("\tuser=" + Lisa)(line, connection);
        var store = Open();
        Assert.Equal(new LoginAnswer.Unavailable("it sends a line of more than 16 KiB"), await CheckAsync(store));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
        Assert.Equal(2, dovecot.Connections);
    }

    [Theory]
    [InlineData("220 mail.example.org ESMTP\r\n", "what is there is not Dovecot's authentication service: it does not begin with its version")]
    [InlineData("VERSION\t2\t0\n", "it speaks another version of the protocol than 1")]
    [InlineData("VERSION\tone\n", "it speaks another version of the protocol than 1")]
    [InlineData("VERSION\t1\t1\nSPID\t7\n", "it names no mechanism: that is the socket for Dovecot's own services (auth-userdb, auth-master), and logins are asked about at auth-client")]
    [InlineData("VERSION\t1\t1\nMECH\nDONE\n", "it names a mechanism without a name")]
    [InlineData("VERSION\t1\t1\nMECH\tLOGIN\tplaintext\nSPID\t7\nDONE\n", "it offers no PLAIN, by which passwords are checked: 'auth_mechanisms' of Dovecot")]
    public async Task What_is_no_Dovecot_is_told_apart(string greeting, string reason)
    {
        dovecot.Greeting = greeting;
        Assert.Equal(new LoginAnswer.Unavailable(reason), await CheckAsync(Open()));
        Assert.Empty(dovecot.Heard);
    }

    [Fact]
    public async Task A_greeting_without_an_end_has_one()
    {
        dovecot.Greeting = "VERSION\t1\t1\n" + string.Concat(Enumerable.Repeat("MECH\tX\n", 10_000));
        Assert.Equal(new LoginAnswer.Unavailable("it does not come to an end of saying what it offers"), await CheckAsync(Open()));
        dovecot.Greeting = new string('V', 100_000);
        Assert.Equal(new LoginAnswer.Unavailable("it sends a line of more than 16 KiB"), await CheckAsync(Open()));
    }

    [Fact]
    public async Task Dovecot_is_told_the_truth_about_the_client()
    {
        var store = Open();
        var secret = new Password("t\u00efger"u8.ToArray());
        var secured = new SaslConnection { Client = IPEndPoint.Parse("[::ffff:192.0.2.7]:50123"), Server = IPEndPoint.Parse("[2001:db8::25]:587"), IsSecured = true, Session = "4f2a" };
        await store.CheckPasswordAsync(Lisa, secret, new LoginClient("192.0.2.7", secured), Ct);
        await store.CheckPasswordAsync(Lisa, secret, new LoginClient("192.0.2.7"), Ct);
        await store.CheckPasswordAsync(Lisa, secret, Ct);
        Assert.Equal(
            [
                "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tno-penalty\tsecured\tlip=2001:db8::25\tlport=587\trip=192.0.2.7\trport=50123\tsession=4f2a",
                "AUTH\t2\tPLAIN\tservice=smtp\tnologin\tno-penalty\trip=192.0.2.7",
                "AUTH\t3\tPLAIN\tservice=smtp\tnologin\tno-penalty",
            ],
            dovecot.Heard.Select(static line => line[..line.IndexOf("\tresp=", StringComparison.Ordinal)]));
        Assert.All(dovecot.Heard, static line => Assert.Equal($"|{Lisa}|t\u00efger", ScriptedDovecot.MessageOf(line)));
        Assert.Equal(1, dovecot.Connections);
    }

    [Fact]
    public async Task Answers_in_another_order_reach_who_asked()
    {
        var held = new List<string>();
        dovecot.Answer = (line, _) =>
        {
            held.Add(line);
            return held.Count < 20 ? null : string.Concat(held.AsEnumerable().Reverse().Select(static one =>
                $"{(ScriptedDovecot.MessageOf(one).EndsWith("|right", StringComparison.Ordinal) ? "OK" : "FAIL")}\t{ScriptedDovecot.NumberOf(one)}\tuser={ScriptedDovecot.MessageOf(one).Split('|')[1]}\n"));
        };
        var store = Open();
        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => store.CheckPasswordAsync($"user{i}", new Password(Encoding.ASCII.GetBytes(i % 3 == 0 ? "right" : "wrong")), Ct).AsTask()));
        for (var i = 0; i < all.Length; i++)
            Assert.Equal(i % 3 == 0, all[i] is LoginAnswer.Match(var user) && user == $"user{i}");
        Assert.Equal(1, dovecot.Connections);
    }

    [Fact]
    public async Task A_Dovecot_that_was_started_anew_costs_nobody_a_login()
    {
        var store = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
        dovecot.HangUp();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
        // Also where it ends while it is being asked, once.
        dovecot.Answer = static (line, connection) => connection == 1 ? "" : ScriptedDovecot.Welcoming("\tuser=" + Lisa)(line, connection);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
        dovecot.Answer = static (_, _) => "";
        Assert.StartsWith("it has ended the connection", Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(store)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silent_connection_is_given_up_and_one_on_which_others_are_answered_is_not()
    {
        dovecot.Answer = static (line, connection) => line.StartsWith("AUTH", StringComparison.Ordinal) && ScriptedDovecot.MessageOf(line).StartsWith("|slow|", StringComparison.Ordinal)
            ? null
            : ScriptedDovecot.Welcoming("\tuser=" + Lisa)(line, connection);
        var store = AccountStores.Bound(Open(), new StoreTerms(), fixture.Clock);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
        var slow = CheckAsync(store, "slow");
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "bart"));
        fixture.Clock.Advance(new StoreTerms().Timeout);
        Assert.Equal(new LoginAnswer.Unavailable("no answer within 2 s"), await slow);
        await dovecot.HearAsync(static line => line == "CANCEL\t2");
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "homer"));
        Assert.Equal(1, dovecot.Connections);

        slow = CheckAsync(store, "slow");
        fixture.Clock.Advance(new StoreTerms().Timeout);
        Assert.Equal(new LoginAnswer.Unavailable("no answer within 2 s"), await slow);
        fixture.Clock.Advance(new StoreTerms().Remember);
        var on = 0;
        dovecot.Answer = (line, connection) => ScriptedDovecot.Welcoming("\tuser=" + Lisa)(line, on = connection);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
        Assert.NotEqual(0, on);
    }

    /// <summary>Its time is five seconds, for wrong passwords wait for two; a client is told within two all the same.</summary>
    [Fact]
    public async Task One_that_is_dead_is_known_within_two_seconds()
    {
        var store = AccountStores.Bound(Open(), new StoreTerms { Timeout = TimeSpan.FromSeconds(5) }, fixture.Clock);
        dovecot.Answer = ScriptedDovecot.Welcoming("\tuser=" + Lisa);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
        (dovecot.Answer, dovecot.Greeting) = (static (_, _) => null, string.Empty);

        LoginAnswer[] answers = await DoubtAsync(CheckAsync(store, "marge"), CheckAsync(store, "bart"), CheckAsync(store, "homer"));

        Assert.All(answers, static answer => Assert.Equal(new LoginAnswer.Unavailable("it answers nothing, and it takes the connection and says nothing on another"), answer));
        Assert.Equal(2, dovecot.Connections);
        // Nor does anybody wait longer for a first connection.
        fixture.Clock.Advance(new StoreTerms().Remember);
        var asked = CheckAsync(store, "moe");
        await dovecot.AcceptAsync(3);
        fixture.Clock.Advance(TimeSpan.FromSeconds(1.8));
        Assert.Equal(new LoginAnswer.Unavailable("no answer within 1.8 s: it takes the connection and says nothing"), await asked);
        (dovecot.Answer, dovecot.Greeting) = (ScriptedDovecot.Welcoming("\tuser=" + Lisa), ScriptedDovecot.Hello);
        fixture.Clock.Advance(new StoreTerms().Remember);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store));
    }

    [Fact]
    public async Task One_that_lets_wrong_passwords_wait_is_not_dead()
    {
        var store = AccountStores.Bound(Open(), new StoreTerms { Timeout = TimeSpan.FromSeconds(5) }, fixture.Clock);
        dovecot.Answer = static (_, _) => null;
        var asked = CheckAsync(store);
        await dovecot.HearAsync(static line => line.StartsWith("AUTH", StringComparison.Ordinal));
        fixture.Clock.Advance(DovecotConnection.Doubt);
        await dovecot.AcceptAsync(2);
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        await dovecot.SayAsync(0, $"FAIL\t{ScriptedDovecot.NumberOf(dovecot.Heard[0])}\tuser={Lisa}\n");
        Assert.IsType<LoginAnswer.NoMatch>(await asked);
    }

    /// <summary>Lets them wait until it is asked whether Dovecot lives, and the time pass that it has for an answer.</summary>
    private async Task<LoginAnswer[]> DoubtAsync(params Task<LoginAnswer>[] asked)
    {
        foreach (var user in asked)
            Assert.False(user.IsCompleted);
        var connections = dovecot.Connections;
        await dovecot.HearAsync(_ => dovecot.Heard.Count(static line => line.StartsWith("AUTH", StringComparison.Ordinal)) == asked.Length + 1);
        fixture.Clock.Advance(DovecotConnection.Doubt);
        await dovecot.AcceptAsync(connections + 1);
        fixture.Clock.Advance(TimeSpan.FromMilliseconds(900));
        return await Task.WhenAll(asked);
    }

    [Fact]
    public async Task Names_without_a_domain_get_one_and_the_account_is_whom_Dovecot_names()
    {
        dovecot.Answer = ScriptedDovecot.Welcoming("\tuser=Lisa.Simpson@Example.ORG\t\toriginal_user=lisa@example.org");
        var store = Open(("domain", "Example.ORG"));
        Assert.Equal(Lisa, Found(await store.FindAsync("lisa", Ct)).Account.Name);
        var verifiers = new AccountVerifiers([store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        Assert.IsType<LoginAnswer.Match>(await verifiers.Passwords.CheckAsync("lisa", "tiger"u8.ToArray(), "192.0.2.1", Ct));
        Assert.Equal("lisa.simpson@example.org", Found(await store.FindAsync("lisa", Ct)).Account.Name);
        Assert.Equal(["lisa.simpson@example.org"], (await verifiers.Accounts!.FindAccountAsync("lisa", Ct))!.Addresses);
        Assert.Equal($"|{Lisa}|tiger", ScriptedDovecot.MessageOf(dovecot.Heard.Single()));
    }

    [Fact]
    public async Task Whom_the_directory_has_disabled_by_the_name_that_Dovecot_gives_does_not_log_in()
    {
        dovecot.Answer = ScriptedDovecot.Welcoming("\tuser=bart@example.org");
        fixture.AddAccount("bart@example.org");
        fixture.Execute("update accounts set enabled = 0 where name = 'bart@example.org'");
        var verifiers = new AccountVerifiers([Open()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        Assert.Equal(StoredLogin.Disabled, Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync(Lisa, "tiger"u8.ToArray(), "192.0.2.1", Ct)).Reason);
    }

    [Fact]
    public async Task Whom_Dovecot_shuts_out_does_not_log_in_although_the_password_is_right()
    {
        dovecot.Answer = ScriptedDovecot.Welcoming("\tuser=lisa@example.org\tnologin\treason=Moved away");
        Assert.Equal(new LoginAnswer.NoMatch("Dovecot does not let this user log in (nologin): Moved away", UserExists: true), await CheckAsync(Open()));
    }

    [Fact]
    public async Task A_password_that_no_login_can_have_is_not_sent()
    {
        foreach (var octets in new[] { ""u8.ToArray(), "tig\0er"u8.ToArray(), [0xff, 0xfe] })
            Assert.IsType<LoginAnswer.NoMatch>(await Open().CheckPasswordAsync(Lisa, new Password(octets), Ct));
        Assert.Equal(0, dovecot.Connections);
    }

    [Fact]
    public async Task A_message_that_is_longer_than_a_line_is_not_sent()
    {
        Assert.Equal(
            new LoginAnswer.Unavailable("the client's message is longer than Dovecot takes"),
            await Open().CheckPasswordAsync(Lisa, new Password(Enumerable.Repeat((byte)'p', AuthLine.MaxOctets).ToArray()), Ct));
        Assert.Empty(dovecot.Heard);
    }

    [Fact]
    public async Task A_try_says_what_is_wrong()
    {
        Assert.Equal("it takes any password for any name", await Open().ProbeAsync(Ct));
        dovecot.Answer = ScriptedDovecot.Failing("");
        Assert.Null(await Open().ProbeAsync(Ct));
        dovecot.Answer = ScriptedDovecot.Failing("\tcode=temp_fail");
        Assert.StartsWith("Dovecot cannot check logins for now", await Open().ProbeAsync(Ct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dovecot:", "it names no socket of Dovecot's, by a whole path; such as ")]
    [InlineData("dovecot:auth-client", "it names no socket of Dovecot's, by a whole path; such as ")]
    [InlineData("dovecot:///", "it names no socket of Dovecot's, by a whole path; such as ")]
    [InlineData("dovecot://mail.example.org", "it names no port: that of 'inet_listener' in Dovecot's 'service auth'; such as ")]
    [InlineData("dovecot://mail.example.org:0", "it names no port: ")]
    [InlineData("dovecot://:12345", "it names no host; such as ")]
    [InlineData("dovecot://lisa:tiger@mail.example.org:1", "it names no host; such as ")]
    [InlineData("dovecot:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678", "the path of a socket has at most 107 octets; such as ")]
    public void A_wrong_entry_says_how_it_is_written(string uri, string problem) =>
        Assert.StartsWith(problem, AccountStores.WhyNot(new AccountSource(uri, "mail.example.org")), StringComparison.Ordinal);

    [Theory]
    [InlineData("dovecot:/run/dovecot/auth-client", "/run/dovecot/auth-client", "", 0)]
    [InlineData("dovecot:///run/dovecot/auth-client", "/run/dovecot/auth-client", "", 0)]
    [InlineData("dovecot://127.0.0.1:12345", null, "127.0.0.1", 12345)]
    [InlineData("DOVECOT://[::1]:12345/", null, "::1", 12345)]
    public void A_socket_and_a_port_are_read(string uri, string? path, string host, int port)
    {
        var source = Assert.IsType<DovecotSource>(DovecotStore.Kind.Read(new StoreKeys(), new AccountSource(uri, "mail.example.org")));
        Assert.Equal((path, host, port), (source.Path, source.Host, source.Port));
    }

    [Fact]
    public void Passwords_in_clear_over_a_network_are_to_be_asked_for_and_warned_of()
    {
        var keys = new StoreKeys() { Problems = [] };
        DovecotStore.Kind.Read(keys, new AccountSource("dovecot://192.0.2.1:12345", "mail.example.org"));
        Assert.StartsWith("uri: Dovecot's protocol knows no TLS", Assert.Single(keys.Problems!), StringComparison.Ordinal);
        var source = DovecotStore.Kind.Read(new StoreKeys(("tls", "none")), new AccountSource("dovecot://192.0.2.1:12345", "mail.example.org"));
        Assert.Equal(["tls: none: every password goes over the network in clear, for all to read"], DovecotStore.Kind.Warn(source));
    }

    private static StoredLogin Found(LoginAnswer answer) => Assert.IsType<LoginAnswer.Found<StoredLogin>>(answer).Stored;

    private static Task<LoginAnswer> CheckAsync(IAccountStore store, string user = Lisa) => store.CheckPasswordAsync(user, new Password("tiger"u8.ToArray()), Ct).AsTask();

    private IAccountStore Open(params (string Key, string Value)[] keys)
    {
        var source = DovecotStore.Kind.Read(new StoreKeys(keys), new AccountSource(string.Create(CultureInfo.InvariantCulture, $"dovecot://127.0.0.1:{dovecot.Port}"), "mail.example.org"));
        var store = DovecotStore.Kind.Open(fixture.StoreContext, source);
        opened.Add(store);
        return store;
    }
}
