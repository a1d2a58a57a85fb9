using System.Globalization;
using System.Text.Json.Nodes;
using Postern.Configuration;
using Postern.Hosting.Live;
using Postern.Testing;

namespace Postern.Tests.Hosting;

/// <summary>Secrets that stand in the configuration as <c>vault:path#key</c>, against a server that answers as Vault's documentation says.</summary>
public sealed class SecretsInVaultTests : IAsyncDisposable
{
    private const string First = "tiger-that-is-in-vault";
    private const string Second = "leopard-that-is-in-vault";

    private readonly DocumentedVault vault = new();
    private readonly LiveServer server = new();

    public SecretsInVaultTests() => Put(First);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Section => string.Create(
        CultureInfo.InvariantCulture,
        $"vault: {{ address: 'http://127.0.0.1:{vault.Server.Port}', role_id: {DocumentedVault.RoleId}, secret_id: secret-id }}\n");

    private string Text => $"{LiveServer.Listeners}{Section}accounts: [directory, {{ users: {{ bart: 'vault:secret/postern/bart#password' }} }}]\n";

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await vault.DisposeAsync();
    }

    [Fact]
    public async Task A_secret_in_Vault_is_read_at_the_start_and_again_and_a_changed_one_counts_from_then_on()
    {
        await server.StartAsync(Text);
        await LogInAsync(First, "235");
        await LogInAsync(Second, "535");
        var id = server.Host.Relay.Snapshot.Id;
        Put(Second);
        await LogInAsync(First, "235");
        await LookAsync(() => server.Host.Relay.Snapshot.Id != id);
        await LogInAsync(Second, "235");
        await LogInAsync(First, "535");
        Assert.Contains(server.Notes, static note => note.Contains("a changed secret in Vault", StringComparison.Ordinal));
        AssertNowhere();
    }

    [Fact]
    public async Task A_reload_reads_them_again()
    {
        await server.StartAsync(Text);
        Put(Second);
        await server.ReloadAsync(Text);
        await LogInAsync(Second, "235");
        await LogInAsync(First, "535");
    }

    [Fact]
    public async Task While_Vault_cannot_answer_a_running_server_keeps_what_it_has_and_says_so()
    {
        await server.StartAsync(Text);
        vault.IsSealed = true;
        await server.ReloadAsync($"{Text}limits: {{ message_size: 1MB }}\n");
        await LogInAsync(First, "235");
        Assert.Contains(server.Notes, static note => note.Contains("accounts[1].users.bart: vault:secret/postern/bart#password cannot be read now, and stays what it was: it is sealed", StringComparison.Ordinal));

        await LookAsync(() => !server.Host.Live.Problems.IsEmpty);
        Assert.Contains("it is sealed", Assert.Single(server.Host.Live.Problems).ToString(), StringComparison.Ordinal);
        await LogInAsync(First, "235");
        vault.IsSealed = false;
        await LookAsync(() => server.Host.Live.Problems.IsEmpty);
        Assert.Single(server.Notes, static note => note.StartsWith("secret not read", StringComparison.Ordinal));
        Assert.Single(server.Notes, static note => note.StartsWith("secret read", StringComparison.Ordinal));
        AssertNowhere();
    }

    [Fact]
    public async Task A_secret_that_is_not_there_any_more_changes_nothing_and_a_reload_says_which()
    {
        await server.StartAsync(Text);
        vault.Delete("secret/postern/bart");
        var report = await server.Host.Live.ReloadAsync(Ct);
        Assert.Contains("accounts[1].users.bart: vault:secret/postern/bart#password cannot be read: there is no such secret", Assert.Single(report.Errors), StringComparison.Ordinal);
        await LogInAsync(First, "235");
    }

    [Fact]
    public async Task A_start_waits_half_a_minute_for_a_Vault_that_cannot_answer_and_then_fails_with_the_line()
    {
        vault.IsSealed = true;
        await server.WriteAsync(Text);
        var notes = new List<string>();
        var clock = new HurriedClock();
        var broken = Assert.IsType<CompileOutcome.Broken>(await Compilation.ReadAsync(Read(), CompileFor.Serving, clock, note: notes.Add));
        Assert.InRange(clock.Skipped, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(30));
        Assert.EndsWith("accounts[1].users.bart: vault:secret/postern/bart#password cannot be read: it is sealed, or down for maintenance (503): vault operator unseal", Assert.Single(broken.Errors).ToString(), StringComparison.Ordinal);
        Assert.Equal("waiting for Vault: it is sealed, or down for maintenance (503): vault operator unseal", Assert.Single(notes));

        using var compiled = Assert.IsType<CompileOutcome.Ready>(await Compilation.ReadAsync(Read(), CompileFor.Serving, clock, note: _ => vault.IsSealed = false)).Compiled;
        Assert.Equal(First, Assert.Single(compiled.Vaulted.Values).Reveal());
    }

    [Fact]
    public async Task Check_says_what_is_not_there_and_warns_of_a_Vault_that_it_cannot_reach()
    {
        await server.WriteAsync(Text);
        var run = await server.Run.PosternAsync("check");
        Assert.Equal(0, run.ExitCode);
        Put(Second, key: "other");
        run = await server.Run.PosternAsync("check");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("vault:secret/postern/bart#password cannot be read: the secret has no such key", run.Error, StringComparison.Ordinal);
        vault.Server.Stop();
        run = await server.Run.PosternAsync("check");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("and no server starts without it: it cannot be reached: Connection refused", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("accounts: [{ users: { bart: 'vault:secret/postern/bart#password' } }]\n", "accounts[0].users.bart: nothing says where that Vault is")]
    [InlineData("accounts: [{ users: { bart: 'vault:secret#password' } }]\n", "accounts[0].users.bart: vault: is followed by MOUNT/PATH#KEY")]
    [InlineData("accounts: [{ users: { bart: 'vault:secret/../x#password' } }]\n", "accounts[0].users.bart: vault: is followed by MOUNT/PATH#KEY")]
    [InlineData("vault: { address: 'https://vault.example.org', token: 'vault:secret/x#token' }\n", "vault.token: what opens Vault cannot be in it")]
    [InlineData("vault: { address: 'https://vault.example.org' }\n", "vault.token: nothing says who this server is there")]
    public async Task What_is_no_secret_of_a_Vault_is_told_at_its_place(string text, string problem)
    {
        await server.WriteAsync(text);
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(ConfigurationFile.Load(server.Run.ConfigFile)).Errors);
        Assert.Contains(problem, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Questions_that_need_no_secret_ask_no_Vault()
    {
        await server.WriteAsync(Text);
        await server.Run.PosternAsync("account", "list");
        await server.Run.PosternAsync("queue", "list");
        Assert.Empty(vault.Server.Asked);
    }

    private PosternConfiguration Read() => Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Load(server.Run.ConfigFile)).Configuration;

    private void Put(string secret, string key = "password") => vault.Put("secret/postern/bart", new JsonObject { [key] = secret });

    private async Task LogInAsync(string password, string reply)
    {
        await using var client = await server.ConnectAsync();
        await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("bart", password)}", reply);
    }

    /// <summary>Lets the server look into Vault, and waits for what comes of it; the clock stands still meanwhile, for it ends questions too.</summary>
    private async Task LookAsync(Func<bool> isSo)
    {
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, late.Token);
    }

    /// <summary>Neither in what was said nor in any file, the log among them.</summary>
    private void AssertNowhere()
    {
        Assert.All(server.Notes, static note => Assert.DoesNotContain("that-is-in-vault", note, StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(server.Run.Root, "*", SearchOption.AllDirectories).Where(static file => Path.GetFileName(file) is not ("lock" or "control.sock")))
        {
            using var content = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(content, System.Text.Encoding.Latin1);
            Assert.DoesNotContain("that-is-in-vault", reader.ReadToEnd(), StringComparison.Ordinal);
        }
    }

    /// <summary>The pause between two questions is over at once.</summary>
    private sealed class HurriedClock : TimeProvider
    {
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

        public TimeSpan Skipped { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Skipped.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != Pause)
                return base.CreateTimer(callback, state, dueTime, period);
            Skipped += Pause;
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
