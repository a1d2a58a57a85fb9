using System.Security.Cryptography;
using Postern.Commands.Output;
using Postern.Commands.Try;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Tests.Hosting;

/// <summary>A running server and the file it was started by, which changes under it.</summary>
public sealed class ReloadTests : IAsyncDisposable
{
    private const string User = LiveServer.User;
    private const string Password = LiveServer.Password;
    private const string Listeners = LiveServer.Listeners;

    private readonly LiveServer server = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Status => string.Join('\n', server.Host.Status().Configuration!.Problems);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task The_command_says_what_changed_what_was_kept_and_what_closes()
    {
        await server.StartAsync();
        var devices = server.Port("devices");
        await server.WriteAsync("limits: { recipients: 7 }\nlisteners:\n  - { name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always }\n  - { name: more, listen: ['127.0.0.1:0'], tls: none }\n");

        var first = await server.Run.PosternAsync("reload");
        Assert.Equal(ExitCode.Ok, first.ExitCode);
        Assert.Contains("limits.recipients: 1000 -> 7 (new connections)", first.Output, StringComparison.Ordinal);
        Assert.Contains($"kept devices 127.0.0.1:{devices}", first.Output, StringComparison.Ordinal);
        Assert.Contains($"opened more 127.0.0.1:{server.Port("more")}", first.Output, StringComparison.Ordinal);
        Assert.Contains("listeners[1].tls: none", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("listeners[1].protocol", first.Output, StringComparison.Ordinal);
        Assert.Equal(devices, server.Port("devices"));

        await server.WriteAsync(Listeners);
        Assert.Contains("closed more 127.0.0.1:", (await server.Run.PosternAsync("reload")).Output, StringComparison.Ordinal);
        Assert.Contains("nothing has changed", (await server.Run.PosternAsync("reload")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_mistakes_changes_nothing_and_every_mistake_is_said_until_it_is_mended()
    {
        await server.StartAsync();
        var before = server.Host.Relay.Snapshot.Id;
        await server.WriteAsync(Listeners + "limits: { recipients: none, idel: 5m }\n");

        var result = await server.Run.PosternAsync("reload");
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(":3:", result.Error, StringComparison.Ordinal);
        foreach (var mistake in (string[])["'none' is not right here", "did you mean 'idle'?"])
        {
            Assert.Contains(mistake, result.Error, StringComparison.Ordinal);
            Assert.Contains(mistake, Status, StringComparison.Ordinal);
            Assert.Contains(server.Notes, note => note.Contains(mistake, StringComparison.Ordinal));
        }

        Assert.Equal(before, server.Host.Relay.Snapshot.Id);
        Assert.Contains("did you mean 'idle'?", (await server.Run.PosternAsync("status")).Output, StringComparison.Ordinal);
        await (await server.ConnectAsync()).DisposeAsync();
        await server.WriteAsync(Listeners);
        Assert.Equal(ExitCode.Ok, (await server.Run.PosternAsync("reload")).ExitCode);
        Assert.Empty(Status);
    }

    [Fact]
    public async Task Who_had_a_changed_configuration_taken_is_written_down_and_with_what()
    {
        await server.StartAsync();
        Assert.Equal(ExitCode.Ok, (await server.Run.PosternAsync("reload")).ExitCode); // nothing has changed
        var before = server.Host.Relay.Snapshot.Id;
        await server.WriteAsync(Listeners + "limits: { recipients: 7 }\n");
        Assert.Equal(ExitCode.Ok, (await server.Run.PosternAsync("reload")).ExitCode);

        await server.Host.Relay.Audit.FlushAsync(Cancelled);
        var log = new AuditSearch(Path.Combine(server.Run.Data, "logs"));
        var told = Assert.Single(await log.FindAsync(new AuditQuery { Kinds = AuditKind.Admin }, Cancelled).OfType<AdminEvent>().Where(static e => e.Action == "reload").ToListAsync(Cancelled));
        Assert.Matches("^uid [0-9]+$", told.Actor);
        Assert.Equal((AdminDoor.Socket, server.Run.ConfigFile), (told.Via, told.Target));
        Assert.Equal([new AdminChange("config", before, server.Host.Relay.Snapshot.Id)], told.Changes);
    }

    [Theory]
    [InlineData("server: { hostname: mail.example.org, data: elsewhere }\n", "server.data")]
    [InlineData("listeners: [{ name: away, listen: ['192.0.2.1:2525'], tls: none }]\n", "192.0.2.1:2525")]
    [InlineData("external: { authority: nowhere.pem }\nlisteners: [{ name: devices, listen: ['127.0.0.1:0'], client_certificates: request }]\n", "nowhere.pem")]
    public async Task What_only_shows_when_it_is_used_is_refused_too(string changed, string named)
    {
        await server.StartAsync();
        var (before, port) = (server.Host.Relay.Snapshot.Id, server.Port("devices"));
        await server.WriteAsync(changed);

        var report = await server.Host.Live.ReloadAsync(Cancelled);
        Assert.Contains(report.Errors, error => error.Contains(named, StringComparison.Ordinal));
        Assert.Equal((before, port), (server.Host.Relay.Snapshot.Id, server.Port("devices")));
        await (await server.ConnectAsync()).DisposeAsync();
    }

    [Fact]
    public async Task A_session_keeps_what_it_began_with_and_loses_its_login_when_that_is_taken_away()
    {
        await server.StartAsync();
        await using var session = await server.ConnectAsync();
        await session.LogInAsync(User, Password);
        await server.WriteAsync(Listeners + "rules: { sender: [reject_sender_login_mismatch], recipient: [reject_unauth_destination] }\n");
        Assert.Empty((await server.Host.Live.ReloadAsync(Cancelled)).Errors);

        await session.SayAsync($"MAIL FROM:<{User}>", "250");
        await session.SayAsync("RCPT TO:<x@elsewhere.example>", "250");
        await using var later = await server.ConnectAsync();
        await later.LogInAsync(User, Password);
        await later.SayAsync($"MAIL FROM:<{User}>", "250");
        var refusal = await later.SayAsync("RCPT TO:<x@elsewhere.example>", "550 5.7.1");
        await server.Host.Relay.Audit.FlushAsync(Cancelled);
        var decision = (await server.Run.JsonAsync("explain", refusal[^7..^1])).GetProperty("decisions")[0];
        Assert.Equal(server.Host.Relay.Snapshot.Id, decision.GetProperty("config").GetString());

        await server.Run.PosternAsync("account", "disable", User);
        await session.ExpectAsync("421");
    }

    [Fact]
    public async Task What_a_limit_has_counted_stays_counted()
    {
        const string Limited = Listeners + "rules: { sender: [{ reject_over_limit: { messages: 1/1h } }] }\n";
        await server.StartAsync(Limited);
        await using var session = await server.ConnectAsync();
        await session.LogInAsync(User, Password);
        await session.SayAsync($"MAIL FROM:<{User}>", "250");
        await server.WriteAsync("limits: { recipients: 7 }\n" + Limited);
        Assert.Empty((await server.Host.Live.ReloadAsync(Cancelled)).Errors);

        await using var later = await server.ConnectAsync();
        await later.LogInAsync(User, Password);
        await later.SayAsync($"MAIL FROM:<{User}>", "450 4.7.1");
    }

    [Fact]
    public async Task Who_is_known_to_no_store_any_more_has_lost_the_login()
    {
        await File.WriteAllTextAsync(Path.Combine(server.Run.Root, "passwd"), "bart@example.org:secret\n", Cancelled);
        await server.StartAsync(Listeners + "accounts: [directory, 'file://" + server.Run.Root + "/passwd']\n");
        await using var bart = await server.ConnectAsync();
        await bart.LogInAsync("bart@example.org", "secret");
        await using var lisa = await server.ConnectAsync();
        await lisa.LogInAsync(User, Password);

        await server.WriteAsync(Listeners + "accounts: [directory]\n");
        Assert.Empty((await server.Host.Live.ReloadAsync(Cancelled)).Errors);
        Assert.StartsWith("421", await bart.AskAsync("MAIL FROM:<bart@example.org>"), StringComparison.Ordinal);
        await lisa.SayAsync($"MAIL FROM:<{User}>", "250");
    }

    [Fact]
    public async Task A_listener_that_names_its_stores_asks_those_alone_and_a_session_loses_its_login_when_its_own_are_asked_no_more()
    {
        await File.WriteAllTextAsync(Path.Combine(server.Run.Root, "passwd"), $"{User}:another secret\nbart@example.org:secret\n", Cancelled);
        var (accounts, file) = ("accounts: [directory, 'file://" + server.Run.Root + "/passwd']\n", "'file://" + server.Run.Root + "/passwd'");
        string Listening(string asked) => $"listeners:\n  - {{ name: apps, listen: ['127.0.0.1:0'], tls: none, auth: always, accounts: [{asked}] }}\n  - {{ name: all, listen: ['127.0.0.1:0'], tls: none, auth: always }}\n" + accounts;
        await server.StartAsync(Listening(file));
        await using var lisa = await server.ConnectAsync();
        await lisa.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(User, Password)}", "535");
        await lisa.LogInAsync(User, "another secret");
        await using var all = await SmtpDialogue.GreetAsync(server.Host.Relay.Endpoints[1].Endpoint);
        await all.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(User, "another secret")}", "535");
        await all.LogInAsync("bart@example.org", "secret");

        await server.ReloadAsync(Listening("directory"));

        Assert.StartsWith("421", await lisa.AskAsync($"MAIL FROM:<{User}>"), StringComparison.Ordinal);
        await all.SayAsync("MAIL FROM:<bart@example.org>", "250");
        await using var later = await server.ConnectAsync();
        await later.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("bart@example.org", "secret")}", "535");
        await later.LogInAsync(User, Password);
        var tested = await server.Run.WithInputAsync("secret\n", "auth", "test", "bart@example.org", "--mechanism", "PLAIN");
        Assert.EndsWith("  all\n", tested.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.No, (await server.Run.WithInputAsync("secret\n", "auth", "test", "bart@example.org", "--listener", "apps")).ExitCode);
        Assert.Contains("did you mean 'apps'?", (await server.Run.WithInputAsync("secret\n", "auth", "test", "bart@example.org", "--listener", "app")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("account", "remove", User)]
    [InlineData("account", "disable", User)]
    [InlineData("credential", "revoke", User, "1")]
    public async Task What_a_command_takes_away_ends_a_session_that_began_under_an_earlier_configuration(params string[] command)
    {
        await server.StartAsync();
        await using var session = await server.ConnectAsync();
        await session.LogInAsync(User, Password);
        await server.ReloadAsync(Listeners + "limits: { recipients: 7 }\n");
        await session.SayAsync("NOOP", "250");

        var taken = await server.Run.PosternAsync(command);

        Assert.Contains("1 open session ended", taken.Output, StringComparison.Ordinal);
        await session.ExpectAsync("421");
    }

    [Theory]
    [InlineData("accounts: [directory, { users: { ned: 'okily dokily' } }]\n", "")]
    [InlineData("accounts: [directory, { users: { bart@example.org: 'another secret' } }]\n", "another secret")]
    [InlineData("accounts: [directory]\n", "")]
    public async Task A_user_that_the_file_has_no_more_is_gone_from_sessions_that_began_before(string after, string password)
    {
        const string Bart = "bart@example.org";
        await server.StartAsync(Listeners + "accounts: [directory, { users: { bart@example.org: 'secret' } }]\n");
        await using var session = await server.ConnectAsync();
        await session.LogInAsync(Bart, "secret");
        await using var quiet = await server.ConnectAsync();

        await server.ReloadAsync(Listeners + after);

        Assert.StartsWith("421", await session.AskAsync($"MAIL FROM:<{Bart}>"), StringComparison.Ordinal);
        if (password.Length == 0)
            await quiet.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(Bart, "secret")}", "535");
        await using var later = await server.ConnectAsync();
        await later.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(Bart, password.Length == 0 ? "secret" : password)}", password.Length == 0 ? "535" : "235");
    }

    [Fact]
    public async Task A_credential_file_that_changes_after_a_reload_counts_in_sessions_that_began_before_it()
    {
        var file = Path.Combine(server.Run.Root, "passwd");
        await File.WriteAllTextAsync(file, "bart@example.org:secret\nned@example.org:okily\n", Cancelled);
        var accounts = Listeners + "accounts: [directory, 'file://" + file + "']\n";
        await server.StartAsync(accounts);
        await using var bart = await server.ConnectAsync();
        await bart.LogInAsync("bart@example.org", "secret");
        await using var ned = await server.ConnectAsync();
        await ned.LogInAsync("ned@example.org", "okily");
        await server.ReloadAsync(accounts + "limits: { recipients: 7 }\n");
        await bart.SayAsync("MAIL FROM:<bart@example.org>", "250");
        await bart.SayAsync("RSET", "250");

        await File.WriteAllTextAsync(file, "ned@example.org:okily\n", Cancelled);
        server.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.StartsWith("421", await bart.AskAsync("MAIL FROM:<bart@example.org>"), StringComparison.Ordinal);
        await ned.SayAsync("MAIL FROM:<ned@example.org>", "250");
    }

    [Fact]
    public async Task Who_may_act_for_another_no_more_stops_in_a_session_that_began_before()
    {
        await server.StartAsync();
        await server.Run.PosternAsync("account", "add", "shop@example.org");
        await server.Run.PosternAsync("account", "grant", User, "--act-as", "shop@example.org");
        await using var session = await server.ConnectAsync();
        await session.SayAsync($"AUTH PLAIN {SaslLogin.Encode($"shop@example.org\0{User}\0{Password}")}", "235");
        await server.ReloadAsync(Listeners + "limits: { recipients: 7 }\n");
        await session.SayAsync("NOOP", "250");

        await server.Run.PosternAsync("account", "revoke", User, "--act-as", "shop@example.org");

        await session.ExpectAsync("421");
    }

    [Fact]
    public async Task A_certificate_that_was_replaced_and_put_back_is_shown_again_by_a_reload()
    {
        const string Secured = "tls: { certificate: cert.pem, key: key.pem }\nlisteners: [{ name: devices, listen: ['127.0.0.1:0'] }]\n";
        var first = server.WriteCertificate("cert.pem", "key.pem");
        string[] files = [Path.Combine(server.Run.Root, "cert.pem"), Path.Combine(server.Run.Root, "key.pem")];
        string[] before = [.. files.Select(File.ReadAllText)];
        await server.StartAsync(Secured);
        var second = server.WriteCertificate("cert.pem", "key.pem");
        await server.UntilAsync(() => Shown() == second);
        foreach (var (file, text) in files.Zip(before))
            await File.WriteAllTextAsync(file, text, Cancelled);

        await server.ReloadAsync("limits: { recipients: 7 }\n" + Secured);
        Assert.Equal(first, Shown());

        await server.ReloadAsync("limits: { recipients: 8 }\n" + Secured);
        Assert.Equal(first, Shown());
        var third = server.WriteCertificate("cert.pem", "key.pem");
        await server.UntilAsync(() => Shown() == third);
    }

    [Fact]
    public async Task A_certificate_that_is_written_while_a_configuration_is_taken_is_shown_too()
    {
        server.WriteCertificate("cert.pem", "key.pem");
        var second = string.Empty;

        await server.StartAsync(
            "tls: { certificate: cert.pem, key: key.pem }\nlisteners: [{ name: devices, listen: ['127.0.0.1:0'] }]\n", () => second = server.WriteCertificate("cert.pem", "key.pem"));

        await server.UntilAsync(() => Shown() == second);
    }

    [Theory]
    [InlineData("external: { certificates: [{ fingerprint: '@FINGERPRINT@', account: lisa@example.org }] }\n", "external: { certificates: [{ fingerprint: '@OTHER@', account: lisa@example.org }] }\n")]
    [InlineData("external: { certificates: [{ fingerprint: '@FINGERPRINT@', account: lisa@example.org }] }\n", "external: { certificates: [{ fingerprint: '@FINGERPRINT@', account: shop@example.org }] }\n")]
    [InlineData("external: { certificates: [{ fingerprint: '@FINGERPRINT@', account: lisa@example.org }] }\n", "")]
    public async Task A_certificate_that_is_listed_no_more_ends_the_sessions_that_logged_in_by_it(string before, string after)
    {
        using var authority = TestAuthority.Create("devices");
        using var certificate = authority.IssueClient("CN=scanner");
        var fingerprint = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        string Configured(string external) => external.Replace("@FINGERPRINT@", fingerprint, StringComparison.Ordinal).Replace("@OTHER@", new string('a', fingerprint.Length), StringComparison.Ordinal)
            + $"listeners: [{{ name: devices, listen: ['127.0.0.1:0'], tls: implicit, client_certificates: {(external.Length > 0 ? "request" : "none")} }}]\n";
        await server.StartAsync(Configured(before));
        await server.Run.PosternAsync("account", "add", "shop@example.org");
        await using var session = await SmtpDialogue.GreetAsync(server.Host.Relay.Endpoints[0].Endpoint, implicitTls: true, certificate);
        await session.SayAsync("EHLO client.example", "250");
        await session.SayAsync("AUTH EXTERNAL =", "235");
        await server.ReloadAsync("limits: { recipients: 7 }\n" + Configured(before));
        await session.SayAsync($"MAIL FROM:<{User}>", "250");
        await session.SayAsync("RSET", "250");

        await server.ReloadAsync(Configured(after));

        Assert.StartsWith("421", await session.AskAsync($"MAIL FROM:<{User}>"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_issuer_that_is_configured_no_more_ends_the_sessions_that_logged_in_by_its_tokens()
    {
        using var issuer = new TryIssuer(server.Run.Root, server.Clock);
        var listener = "listeners: [{ name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always, mechanisms: [XOAUTH2, PLAIN] }]\n";
        var trusted = $"oauth: [{{ issuer: '{TryIssuer.Name}', jwks: '{issuer.Keys}', audience: {TryIssuer.Audience}, user_claim: {TryIssuer.UserClaim} }}]\n";
        await server.StartAsync(trusted + listener);
        await using var session = await server.ConnectAsync();
        await session.SayAsync($"AUTH XOAUTH2 {SaslLogin.Encode($"user={User}\u0001auth=Bearer {issuer.TokenFor(User)}\u0001\u0001")}", "235");
        await server.ReloadAsync("limits: { recipients: 7 }\n" + trusted + listener);
        await session.SayAsync($"MAIL FROM:<{User}>", "250");
        await session.SayAsync("RSET", "250");

        await server.ReloadAsync(listener.Replace("XOAUTH2, ", string.Empty, StringComparison.Ordinal));

        Assert.StartsWith("421", await session.AskAsync($"MAIL FROM:<{User}>"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Budgets_of_wrong_logins_count_at_once_and_what_was_counted_stays()
    {
        await server.StartAsync(Listeners + "login_protection: { budgets: { address: 100/1h, account_and_network: 100/1h } }\n");
        for (var i = 0; i < 3; i++)
        {
            await using var session = await server.ConnectAsync();
            await session.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(User, $"wrong {i}")}", "535");
        }

        Assert.DoesNotContain(User, (await server.Run.PosternAsync("auth", "blocks")).Output, StringComparison.Ordinal);
        await server.WriteAsync(Listeners + "login_protection: { budgets: { address: 3/1h, account_and_network: 3/1h } }\n");
        Assert.Empty((await server.Host.Live.ReloadAsync(Cancelled)).Errors);
        Assert.Contains(User, (await server.Run.PosternAsync("auth", "blocks")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_id_is_of_the_meaning_and_not_of_the_words()
    {
        await server.StartAsync();
        var id = server.Host.Relay.Snapshot.Id;
        await server.WriteAsync("# the same in other words\nlimits: { recipients: 1000, idle: 300s }\n" + Listeners);
        Assert.Equal(id, (await server.Host.Live.ReloadAsync(Cancelled)).After);
        await server.WriteAsync(Listeners + "limits: { recipients: 999 }\n");
        Assert.NotEqual(id, (await server.Host.Live.ReloadAsync(Cancelled)).After);
        await server.WriteAsync(Listeners);
        Assert.Equal(id, (await server.Host.Live.ReloadAsync(Cancelled)).After);
    }

    [Fact]
    public async Task A_secret_in_a_file_counts_when_the_file_changes_and_is_never_shown()
    {
        const string Mistake = "limts: {}\n";
        var secret = Path.Combine(server.Run.Root, "secret");
        await File.WriteAllTextAsync(secret, "first\n", Cancelled);
        await server.StartAsync(Listeners + "delivery: { routes: [{ to: '*', via: 'smtps://127.0.0.1:2626', login: { user: lisa, password: 'file:secret' } }] }\n");
        var (id, hop) = (server.Host.Relay.Snapshot.Id, server.Host.Relay.Deliveries.Routes);
        await File.AppendAllTextAsync(server.Run.ConfigFile, Mistake, Cancelled);
        Assert.Single((await server.Host.Live.ReloadAsync(Cancelled)).Errors);
        await File.WriteAllTextAsync(secret, "second\n", Cancelled);

        await server.UntilAsync(IsApplied);
        Assert.NotEqual(id, server.Host.Relay.Snapshot.Id);
        Assert.Contains("limts", Status, StringComparison.Ordinal);
        Assert.NotEqual(hop, server.Host.Relay.Deliveries.Routes);
        var line = Assert.Single(server.Notes, static note => note.StartsWith("configuration applied", StringComparison.Ordinal));
        Assert.Contains("delivery.routes[0].login.password", line, StringComparison.Ordinal);
        Assert.DoesNotContain("second", line, StringComparison.Ordinal);
        Assert.DoesNotContain("first", line, StringComparison.Ordinal);

        bool IsApplied() => server.Notes.Any(static note => note.StartsWith("configuration applied", StringComparison.Ordinal));
    }

    private string Shown() => server.Host.Relay.Snapshot.Options.Tls!.Certificate.SerialNumber;
}
