using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting;
using Postern.Hosting.Live;
using Postern.Testing;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>A running server and the file it was started by, which changes under it.</summary>
public sealed class ReloadTests : IAsyncDisposable
{
    private const string User = "lisa@example.org";
    private const string Password = "correct horse";
    private const string Listeners = "listeners: [{ name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always }]\n";

    private readonly CommandRun run = new(Server + Listeners);
    private readonly List<string> notes = [];
    private readonly ManualClock clock = new();
    private ServerHost? host;

    private const string Server = "server: { hostname: mail.example.org, data: data }\n";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Status => string.Join('\n', host!.Status().Configuration!.Problems);

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
            await host.DisposeAsync();
        run.Dispose();
    }

    [Fact]
    public async Task The_command_says_what_changed_what_was_kept_and_what_closes()
    {
        await StartAsync();
        var devices = Port("devices");
        await WriteAsync("limits: { recipients: 7 }\nlisteners:\n  - { name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always }\n  - { name: more, listen: ['127.0.0.1:0'], tls: none }\n");

        var first = await run.PosternAsync("reload");
        Assert.Equal(ExitCode.Ok, first.ExitCode);
        Assert.Contains("limits.recipients: 1000 -> 7 (new connections)", first.Output, StringComparison.Ordinal);
        Assert.Contains($"kept devices 127.0.0.1:{devices}", first.Output, StringComparison.Ordinal);
        Assert.Contains($"opened more 127.0.0.1:{Port("more")}", first.Output, StringComparison.Ordinal);
        Assert.Contains("listeners[1].tls: none", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("listeners[1].protocol", first.Output, StringComparison.Ordinal);
        Assert.Equal(devices, Port("devices"));

        await WriteAsync(Listeners);
        Assert.Contains("closed more 127.0.0.1:", (await run.PosternAsync("reload")).Output, StringComparison.Ordinal);
        Assert.Contains("nothing has changed", (await run.PosternAsync("reload")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_mistakes_changes_nothing_and_every_mistake_is_said_until_it_is_mended()
    {
        await StartAsync();
        var before = host!.Relay.Snapshot.Id;
        await WriteAsync(Listeners + "limits: { recipients: none, idel: 5m }\n");

        var result = await run.PosternAsync("reload");
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(":3:", result.Error, StringComparison.Ordinal);
        foreach (var mistake in (string[])["'none' is not right here", "did you mean 'idle'?"])
        {
            Assert.Contains(mistake, result.Error, StringComparison.Ordinal);
            Assert.Contains(mistake, Status, StringComparison.Ordinal);
            Assert.Contains(notes, note => note.Contains(mistake, StringComparison.Ordinal));
        }

        Assert.Equal(before, host.Relay.Snapshot.Id);
        Assert.Contains("did you mean 'idle'?", (await run.PosternAsync("status")).Output, StringComparison.Ordinal);
        await (await ConnectAsync()).DisposeAsync();
        await WriteAsync(Listeners);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("reload")).ExitCode);
        Assert.Empty(Status);
    }

    [Theory]
    [InlineData("server: { hostname: mail.example.org, data: elsewhere }\n", "server.data")]
    [InlineData("listeners: [{ name: away, listen: ['192.0.2.1:2525'], tls: none }]\n", "192.0.2.1:2525")]
    [InlineData("external: { authority: nowhere.pem }\nlisteners: [{ name: devices, listen: ['127.0.0.1:0'], client_certificates: request }]\n", "nowhere.pem")]
    public async Task What_only_shows_when_it_is_used_is_refused_too(string changed, string named)
    {
        await StartAsync();
        var (before, port) = (host!.Relay.Snapshot.Id, Port("devices"));
        await WriteAsync(changed);

        var report = await host.Live.ReloadAsync(Cancelled);
        Assert.Contains(report.Errors, error => error.Contains(named, StringComparison.Ordinal));
        Assert.Equal((before, port), (host.Relay.Snapshot.Id, Port("devices")));
        await (await ConnectAsync()).DisposeAsync();
    }

    [Fact]
    public async Task A_session_keeps_what_it_began_with_and_loses_its_login_when_that_is_taken_away()
    {
        await StartAsync();
        await using var session = await ConnectAsync();
        await session.LogInAsync(User, Password);
        await WriteAsync(Listeners + "rules: { sender: [reject_sender_login_mismatch], recipient: [reject_unauth_destination] }\n");
        Assert.Empty((await host!.Live.ReloadAsync(Cancelled)).Errors);

        await session.SayAsync($"MAIL FROM:<{User}>", "250");
        await session.SayAsync("RCPT TO:<x@elsewhere.example>", "250");
        await using var later = await ConnectAsync();
        await later.LogInAsync(User, Password);
        await later.SayAsync($"MAIL FROM:<{User}>", "250");
        var refusal = await later.SayAsync("RCPT TO:<x@elsewhere.example>", "550 5.7.1");
        await host.Relay.Audit.FlushAsync(Cancelled);
        var decision = (await run.JsonAsync("explain", refusal[^7..^1])).GetProperty("decisions")[0];
        Assert.Equal(host.Relay.Snapshot.Id, decision.GetProperty("config").GetString());

        await run.PosternAsync("account", "disable", User);
        await session.ExpectAsync("421");
    }

    [Fact]
    public async Task What_a_limit_has_counted_stays_counted()
    {
        const string Limited = Listeners + "rules: { sender: [{ reject_over_limit: { messages: 1/1h } }] }\n";
        await StartAsync(Limited);
        await using var session = await ConnectAsync();
        await session.LogInAsync(User, Password);
        await session.SayAsync($"MAIL FROM:<{User}>", "250");
        await WriteAsync("limits: { recipients: 7 }\n" + Limited);
        Assert.Empty((await host!.Live.ReloadAsync(Cancelled)).Errors);

        await using var later = await ConnectAsync();
        await later.LogInAsync(User, Password);
        await later.SayAsync($"MAIL FROM:<{User}>", "450 4.7.1");
    }

    [Fact]
    public async Task Who_is_known_to_no_store_any_more_has_lost_the_login()
    {
        await File.WriteAllTextAsync(Path.Combine(run.Root, "passwd"), "bart@example.org:secret\n", Cancelled);
        await StartAsync(Listeners + "accounts: [directory, 'file://" + run.Root + "/passwd']\n");
        await using var bart = await ConnectAsync();
        await bart.LogInAsync("bart@example.org", "secret");
        await using var lisa = await ConnectAsync();
        await lisa.LogInAsync(User, Password);

        await WriteAsync(Listeners + "accounts: [directory]\n");
        Assert.Empty((await host!.Live.ReloadAsync(Cancelled)).Errors);
        Assert.StartsWith("421", await bart.AskAsync("MAIL FROM:<bart@example.org>"), StringComparison.Ordinal);
        await lisa.SayAsync($"MAIL FROM:<{User}>", "250");
    }

    [Fact]
    public async Task Budgets_of_wrong_logins_count_at_once_and_what_was_counted_stays()
    {
        await StartAsync(Listeners + "login_protection: { budgets: { address: 100/1h, account_and_network: 100/1h } }\n");
        for (var i = 0; i < 3; i++)
        {
            await using var session = await ConnectAsync();
            await session.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(User, $"wrong {i}")}", "535");
        }

        Assert.DoesNotContain(User, (await run.PosternAsync("auth", "blocks")).Output, StringComparison.Ordinal);
        await WriteAsync(Listeners + "login_protection: { budgets: { address: 3/1h, account_and_network: 3/1h } }\n");
        Assert.Empty((await host!.Live.ReloadAsync(Cancelled)).Errors);
        Assert.Contains(User, (await run.PosternAsync("auth", "blocks")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_id_is_of_the_meaning_and_not_of_the_words()
    {
        await StartAsync();
        var id = host!.Relay.Snapshot.Id;
        await WriteAsync("# the same in other words\nlimits: { recipients: 1000, idle: 300s }\n" + Listeners);
        Assert.Equal(id, (await host.Live.ReloadAsync(Cancelled)).After);
        await WriteAsync(Listeners + "limits: { recipients: 999 }\n");
        Assert.NotEqual(id, (await host.Live.ReloadAsync(Cancelled)).After);
        await WriteAsync(Listeners);
        Assert.Equal(id, (await host.Live.ReloadAsync(Cancelled)).After);
    }

    [Fact]
    public async Task A_secret_in_a_file_counts_when_the_file_changes_and_is_never_shown()
    {
        const string Mistake = "limts: {}\n";
        var secret = Path.Combine(run.Root, "secret");
        await File.WriteAllTextAsync(secret, "first\n", Cancelled);
        await StartAsync(Listeners + "delivery: { routes: [{ to: '*', via: 'smtps://127.0.0.1:2626', login: { user: lisa, password: 'file:secret' } }] }\n");
        var (id, hop) = (host!.Relay.Snapshot.Id, host.Relay.Deliveries.Routes);
        await File.AppendAllTextAsync(run.ConfigFile, Mistake, Cancelled);
        Assert.Single((await host.Live.ReloadAsync(Cancelled)).Errors);
        await File.WriteAllTextAsync(secret, "second\n", Cancelled);

        await UntilAsync(IsApplied);
        Assert.NotEqual(id, host.Relay.Snapshot.Id);
        Assert.Contains("limts", Status, StringComparison.Ordinal);
        Assert.NotEqual(hop, host.Relay.Deliveries.Routes);
        var line = Assert.Single(notes, static note => note.StartsWith("configuration applied", StringComparison.Ordinal));
        Assert.Contains("delivery.routes[0].login.password", line, StringComparison.Ordinal);
        Assert.DoesNotContain("second", line, StringComparison.Ordinal);
        Assert.DoesNotContain("first", line, StringComparison.Ordinal);

        bool IsApplied()
        {
            lock (notes)
                return notes.Exists(static note => note.StartsWith("configuration applied", StringComparison.Ordinal));
        }
    }

    private async Task StartAsync(string text = Listeners)
    {
        await WriteAsync(text);
        await run.PosternAsync("account", "add", User);
        await run.WithInputAsync(Password, "credential", "add", User, "--password-stdin");
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Load(run.ConfigFile)).Configuration;
        var compiled = Assert.IsType<CompileOutcome.Ready>(await Compilation.ReadAsync(configuration, CompileFor.Serving, clock)).Compiled;
        host = await ServerHost.StartAsync(compiled, run.ConfigFile, events: null, Note, clock, Cancelled);
    }

    private void Note(string text)
    {
        lock (notes)
            notes.Add(text);
    }

    private Task WriteAsync(string text) =>
        File.WriteAllTextAsync(run.ConfigFile, text.StartsWith("server", StringComparison.Ordinal) ? text + Listeners : Server + text, Cancelled);

    private int Port(string listener) => host!.Relay.Endpoints.Single(e => e.Listener.Name == listener).Endpoint.Port;

    private Task<SmtpDialogue> ConnectAsync() => SmtpDialogue.GreetAsync(host!.Relay.Endpoints[0].Endpoint);

    /// <summary>Moves the clock until it is so.</summary>
    private async Task UntilAsync(Func<bool> isSo)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            clock.Advance(TimeSpan.FromSeconds(3));
            await Task.Yield();
            late.Token.ThrowIfCancellationRequested();
        }
    }
}
