using System.Text;
using System.Globalization;
using Microsoft.Data.Sqlite;
using MySqlConnector;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Testing;
using Postern.Testing.Databases;

namespace Postern.Tests.Examples;

/// <summary>docs/examples: each is accepted, starts a server, and logs in whom it says and nobody else.</summary>
public sealed class ExamplesTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void The_page_names_each_example()
    {
        var page = File.ReadAllText(SourceTree.PathOf("docs/examples/README.md"));
        foreach (var example in Directory.EnumerateDirectories(SourceTree.PathOf("docs/examples")).Select(Path.GetFileName))
            Assert.Contains($"[{example}]({example}/postern.yaml)", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Static_users_log_in_by_PLAIN_behind_STARTTLS()
    {
        await using var server = new ExampleServer("static-users");
        await server.StartAsync();
        await server.Run.PosternAsync("account", "add", "scott", "--address", "scott@example.org");
        await using (var clear = await SmtpDialogue.GreetAsync(server.Endpoint))
        {
            Assert.DoesNotContain("AUTH", await clear.AskAsync("EHLO client.example"), StringComparison.Ordinal);
            await clear.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("scott", "tiger")}", "504 5.5.4");
            Assert.Contains("250-AUTH PLAIN\n", await clear.StartTlsAsync(), StringComparison.Ordinal);
        }

        await RefusesAsync(server, "PLAIN", ("scott", "lion"), ("scott", "TIGER"), ("nobody", "tiger"));
        await using var blank = await SecureAsync(server);
        await blank.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("scott", "")}", "5");
        await RelaysAsync(server, "PLAIN", "scott", "tiger", "scott@example.org");
    }

    [Fact]
    public async Task Users_of_a_SQLite_file_log_in_and_a_tenant_comes_with_the_login()
    {
        await using var server = new ExampleServer("sqlite");
        await using (var file = new SqliteConnection($"Data Source={Path.Combine(server.Run.Root, "auth.db")};Pooling=False"))
        {
            await file.OpenAsync(Ct);
            await using var command = file.CreateCommand();
            command.CommandText = await File.ReadAllTextAsync(Path.Combine(server.Run.Root, "auth.sql"), Ct);
            await command.ExecuteNonQueryAsync(Ct);
        }

        await server.StartAsync();
        foreach (var mechanism in new[] { "PLAIN", "LOGIN" })
            await RefusesAsync(server, mechanism, ("scott", "lion"), ("scott' or '1'='1", "tiger"), ("nobody", "tiger"), ("lisa@example.org", "tiger"));
        await RelaysAsync(server, "PLAIN", "scott", "tiger", "scott@example.org");
        await RelaysAsync(server, "LOGIN", "lisa@example.org", "saxophone", "lisa@example.org");
        Assert.Equal(
            [null, "mytenant"],
            (await server.LoginsAsync()).Where(static e => e.GetProperty("outcome").GetString() == "ok").Select(static e => e.TryGetProperty("tenant", out var tenant) ? tenant.GetString() : null).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Strangers_come_again_and_a_service_that_is_gone_lets_nobody_through()
    {
        var says = "DEFER_IF_PERMIT Greylisted";
        await using var service = new ScriptedPolicyService(_ => ScriptedPolicyService.Said.Action(says));
        await using var server = new ExampleServer("greylisting", ("inet:127.0.0.1:10023", service.Place));
        await server.StartAsync();
        await server.Run.PosternAsync("domain", "add", "example.org", "--accept");
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoint);
        await client.SayAsync("MAIL FROM:<a@foreign.test>", "250");
        await client.SayAsync("RCPT TO:<b@example.org>", "450 4.7.1 Greylisted (ref ");
        await client.SayAsync("RCPT TO:<b@elsewhere.test>", "550 5.7.1 <b@elsewhere.test>: Relay access denied");
        says = "OK";
        await client.SayAsync("RCPT TO:<b@elsewhere.test>", "550 5.7.1 <b@elsewhere.test>: Relay access denied");
        says = "PREPEND X-Greylist: delayed";
        await client.SayAsync("RSET", "250");
        Assert.StartsWith("250 2.0.0 Queued as ", await client.SendAsync("a@foreign.test", "b@example.org", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
        Assert.Contains("X-Greylist: delayed\r\n", (await server.Sink.NextMessageAsync()).Text, StringComparison.Ordinal);
        await service.DisposeAsync();
        await client.SayAsync("MAIL FROM:<a@foreign.test>", "250");
        await client.SayAsync("RCPT TO:<b@example.org>", "451 4.3.0");
    }

    [Fact]
    public async Task Hashes_of_a_file_log_in_by_DIGEST_MD5_in_their_realm()
    {
        await using var server = new ExampleServer("digest-file");
        await server.StartAsync();
        await using (var session = await SmtpDialogue.GreetAsync(server.Endpoint))
        {
            Assert.Contains("250-AUTH DIGEST-MD5\n", await session.AskAsync("EHLO client.example"), StringComparison.Ordinal);
            var challenge = await session.SayAsync("AUTH DIGEST-MD5", "334 ");
            Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(challenge[4..]), out var said));
            Assert.Contains("realm=\"my choice of realm\"", Encoding.UTF8.GetString(said), StringComparison.Ordinal);
            await session.SayAsync("*", "501");
        }

        await RefusesAsync(server, "DIGEST-MD5", ("lisa@example.org", "lion"), ("nobody@example.org", "tiger"));
        await RelaysAsync(server, "DIGEST-MD5", "lisa@example.org", "tiger", "lisa@example.org");
    }

    [Fact]
    public async Task Passwords_of_a_file_log_in_by_CRAM_MD5()
    {
        await using var server = new ExampleServer("cram-file");
        await server.StartAsync();
        await using (var session = await SmtpDialogue.GreetAsync(server.Endpoint))
            Assert.Contains("250-AUTH CRAM-MD5\n", await session.AskAsync("EHLO client.example"), StringComparison.Ordinal);
        await RefusesAsync(server, "CRAM-MD5", ("lisa@example.org", "lion"), ("nobody@example.org", "tiger"));
        await RelaysAsync(server, "CRAM-MD5", "lisa@example.org", "tiger", "lisa@example.org");
    }

    [Theory]
    [InlineData("LOGIN")]
    [InlineData("PLAIN")]
    public async Task Passwords_of_a_file_log_in_by_what_shows_them_under_TLS(string mechanism)
    {
        await using var server = new ExampleServer("login-file");
        await server.StartAsync();
        await using (var clear = await SmtpDialogue.GreetAsync(server.Endpoint))
        {
            Assert.DoesNotContain("AUTH", await clear.AskAsync("EHLO client.example"), StringComparison.Ordinal);
            Assert.Contains("250-AUTH LOGIN PLAIN\n", await clear.StartTlsAsync(), StringComparison.Ordinal);
        }

        await RefusesAsync(server, mechanism, ("lisa@example.org", "lion"), ("bart@example.org", "skateboard"), ("# bart@example.org", "skateboard"));
        await RelaysAsync(server, mechanism, "lisa@example.org", "tiger", "lisa@example.org");
    }

    [Fact]
    public async Task Clients_of_a_listed_network_relay_without_a_login()
    {
        await using var server = new ExampleServer("login-file", ("198.51.100.0/24", "127.0.0.0/8"));
        await server.StartAsync();
        await using var session = await SmtpDialogue.GreetAsync(server.Endpoint);
        await SendAsync(session, "bart@example.org");
        Assert.DoesNotContain("Authentication-Results:", (await server.Sink.NextMessageAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_of_a_database_server_log_in()
    {
        await using var database = new MariaServer();
        Assert.SkipWhen(database.WhyNot() is not null, database.WhyNot() ?? "");
        await database.InitializeAsync();
        await using var server = new ExampleServer("datasource", ("db.example.org", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{database.Port}")));
        await File.WriteAllTextAsync(Path.Combine(server.Run.Root, "db.secret"), DatabaseServer.Password + "\n", Ct);
        await using (var connection = new MySqlConnection(string.Create(
            CultureInfo.InvariantCulture,
            $"Server=127.0.0.1;Port={database.Port};User={DatabaseServer.User};Password={DatabaseServer.Password};Database={MariaServer.Database};Pooling=false;SslMode=None")))
        {
            await connection.OpenAsync(Ct);
            await using var command = connection.CreateCommand();
            command.CommandText = await File.ReadAllTextAsync(Path.Combine(server.Run.Root, "auth.sql"), Ct);
            await command.ExecuteNonQueryAsync(Ct);
        }

        await server.StartAsync();
        foreach (var mechanism in new[] { "PLAIN", "LOGIN" })
            await RefusesAsync(server, mechanism, ("lisa@example.org", "lion"), ("lisa@example.org' or '1'='1", "tiger"), ("nobody@example.org", "tiger"));
        await RelaysAsync(server, "PLAIN", "lisa@example.org", "tiger", "lisa@example.org");
    }

    [Fact]
    public async Task Users_whose_secrets_are_in_Vault_log_in()
    {
        await using var vault = new VaultServer();
        await using var server = new ExampleServer("vault", ("https://vault.example.org:8200", vault.Address));
        await server.StartAsync();
        await server.Run.PosternAsync("account", "add", "scott", "--address", "scott@example.org");
        await RefusesAsync(server, "PLAIN", ("scott", "lion"), ("nobody", "tiger"), ("../scott", "tiger"), ("scott/", "tiger"));
        await RelaysAsync(server, "PLAIN", "scott", "tiger", "scott@example.org");
    }

    [Fact]
    public async Task Users_of_a_Dovecot_log_in()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/dovecot") && Environment.IsPrivilegedProcess, "dovecot-core is not installed, or only root can start it");
        await using var dovecot = new DovecotServer();
        await using var server = new ExampleServer("dovecot", ("/run/dovecot/auth-client", dovecot.SocketPath));
        await dovecot.StartAsync(
            "lisa@example.org:{PLAIN}tiger", (await File.ReadAllTextAsync(Path.Combine(server.Run.Root, "postern.conf"), Ct)).Replace("group = postern", "group = root", StringComparison.Ordinal));
        await server.StartAsync();
        foreach (var mechanism in new[] { "PLAIN", "LOGIN" })
            await RefusesAsync(server, mechanism, ("lisa@example.org", "lion"), ("lisa", "tiger"), ("nobody@example.org", "tiger"));
        await RelaysAsync(server, "PLAIN", "lisa@example.org", "tiger", "lisa@example.org");
        await RelaysAsync(server, "LOGIN", "lisa@example.org", "tiger", "lisa@example.org");
    }

    [Fact]
    public async Task Users_of_a_Dovecot_log_in_by_its_mechanisms()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/dovecot") && Environment.IsPrivilegedProcess, "dovecot-core is not installed, or only root can start it");
        await using var dovecot = new DovecotServer();
        await using var server = new ExampleServer(
            "dovecot",
            ("/run/dovecot/auth-client", dovecot.SocketPath),
            ("    listen: 0.0.0.0:587", "    listen: 0.0.0.0:587\n    mechanisms: [SCRAM-SHA-256, SCRAM-SHA-1, DIGEST-MD5, CRAM-MD5, PLAIN, LOGIN]"));
        await dovecot.StartAsync("lisa@example.org:{PLAIN}tiger", string.Empty);
        await server.StartAsync();
        await using (var session = await SmtpDialogue.GreetAsync(server.Endpoint))
        {
            var offer = await session.StartTlsAsync();
            // Dovecot has been asked when the server started, and answers a moment later.
            for (var i = 0; i < 500 && !offer.Contains("SCRAM", StringComparison.Ordinal); i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
                offer = await session.AskAsync("EHLO client.example");
            }

            Assert.Contains("250-AUTH SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 PLAIN LOGIN\n", offer, StringComparison.Ordinal);
        }

        foreach (var mechanism in new[] { "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN" })
            await RelaysAsync(server, mechanism, "lisa@example.org", "tiger", "lisa@example.org");
        // Dovecot's DIGEST-MD5 has what stands behind the sign for the realm.
        await RelaysAsync(server, "DIGEST-MD5", "lisa@example.org", "tiger", "lisa@example.org", typed: "lisa");
        foreach (var mechanism in new[] { "SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5" })
            await RefusesAsync(server, mechanism, ("lisa@example.org", "lion"), ("nobody@example.org", "tiger"));
    }

    /// <summary>Each by a session of its own, and nothing is relayed for it.</summary>
    private static async Task RefusesAsync(ExampleServer server, string mechanism, params (string User, string Password)[] tries)
    {
        foreach (var (user, password) in tries)
        {
            await using var session = await SecureAsync(server);
            Assert.StartsWith("535 5.7.8 ", (await session.LogInAsync(mechanism, Credentials(user, password))).Reply, StringComparison.Ordinal);
            await session.SayAsync("MAIL FROM:<lisa@example.org>", "250");
            await session.SayAsync("RCPT TO:<bart@example.net>", "530 5.7.0 ");
        }
    }

    /// <summary>The login succeeds, and its mail reaches the next hop, which is told who has logged in.</summary>
    /// <param name="typed">As the client calls the user; null for the same name.</param>
    private static async Task RelaysAsync(ExampleServer server, string mechanism, string user, string password, string from, string? typed = null)
    {
        await using var session = await SecureAsync(server);
        Assert.StartsWith("235 2.7.0 ", (await session.LogInAsync(mechanism, Credentials(typed ?? user, password))).Reply, StringComparison.Ordinal);
        await SendAsync(session, from);
        var relayed = await server.Sink.NextMessageAsync();
        Assert.Equal(from, relayed.Sender);
        var unfolded = relayed.Text.Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
        Assert.Contains($"\r\nAuthentication-Results: mail.example.org; auth=pass ({mechanism.ToLowerInvariant()}) smtp.auth={user} ", "\r\n" + unfolded, StringComparison.Ordinal);
        Assert.Contains(await server.LoginsAsync(), e => e.GetProperty("outcome").GetString() == "ok" && e.GetProperty("mechanism").GetString() == mechanism && e.GetProperty("user").GetString() == user);
    }

    private static async Task SendAsync(SmtpDialogue session, string from) =>
        Assert.StartsWith("250 2.0.0 ", await session.SendAsync(from, "bart@example.net", "Subject: hello\r\n\r\nBody\r\n"), StringComparison.Ordinal);

    private static async Task<SmtpDialogue> SecureAsync(ExampleServer server)
    {
        var session = await SmtpDialogue.GreetAsync(server.Endpoint);
        await session.StartTlsAsync();
        return session;
    }

    private static SaslClientCredentials Credentials(string user, string password) => new() { User = user, Password = new Secret(password), Host = "mail.example.org" };
}
