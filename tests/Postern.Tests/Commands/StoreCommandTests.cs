using System.Text;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Postern.Commands;
using Postern.Commands.Output;
using Postern.Testing;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

/// <summary>What commands say of the stores of accounts, and of logins: how they answer, what is wrong with them, who comes in by them.</summary>
public sealed class StoreCommandTests : IAsyncDisposable
{
    private readonly LiveServer server = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Users => Path.Combine(server.Run.Root, "users.db");

    private string Configuration => LiveServer.Listeners + $$"""
        accounts:
          - directory
          - uri: sqlite://{{Users}}
            query: select password from people where name = @user
            logins: "@example.net"
            cache: { ttl: 30s, negative_ttl: 5s, stale_on_outage: 1h }

        """;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Check_live_says_of_each_store_whether_it_answers_and_at_which_line_it_does_not()
    {
        await server.WriteAsync(Configuration);
        Assert.Equal(ExitCode.Ok, (await server.Run.PosternAsync("check")).ExitCode);
        var broken = await server.Run.PosternAsync("check", "--live");
        Assert.Equal(ExitCode.No, broken.ExitCode);
        Assert.Contains($"postern.yaml:5:10: accounts[1].uri: sqlite://{Users} cannot answer: there is no such file, or it cannot be opened", broken.Error, StringComparison.Ordinal);
        var told = (await server.Run.JsonAsync("check", "--live")).GetProperty("stores")[0];
        Assert.Equal(("accounts[1].uri", true), (told.GetProperty("key").GetString(), told.GetProperty("trouble").GetString()!.Length > 0));

        MakeUsers();
        var good = await server.Run.PosternAsync("check", "--live");
        Assert.Equal((ExitCode.Ok, string.Empty), (good.ExitCode, string.Concat(good.Error.Split('\n').Where(static l => l.Contains("accounts", StringComparison.Ordinal)))));
        Assert.Matches("store sqlite:.* answers, in [0-9]+ ms", good.Output);
    }

    [Fact]
    public async Task Status_tells_how_each_store_answers()
    {
        MakeUsers();
        await server.StartAsync(Configuration);
        var fresh = await server.Run.PosternAsync("status");
        Assert.Matches("store directory +answers from memory", fresh.Output);
        Assert.Matches("store sqlite:.* +not asked so far; for @example.net", fresh.Output);

        await using var homer = await server.ConnectAsync();
        await homer.LogInAsync("homer@example.net", "doughnut");
        File.Delete(Users);
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        await using var again = await server.ConnectAsync();
        await again.LogInAsync("homer@example.net", "doughnut");
        await using var bart = await server.ConnectAsync();
        await bart.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("bart@example.net", "x")}", "454");
        await using var moe = await server.ConnectAsync();
        await moe.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("moe@example.org", "x")}", "535"); // is not asked for there

        var down = await server.Run.PosternAsync("status");
        Assert.Matches("store sqlite:.* +DOWN since .*there is no such file, or it cannot be opened; whom it knew within 3600 s", down.Output);
        var store = (await server.Run.JsonAsync("status")).GetProperty("stores")[1];
        Assert.True(store.GetProperty("stoodIn").GetInt32() > 0);
        Assert.Equal("@example.net", store.GetProperty("logins").GetString());
        await server.FlushLogAsync();
        Assert.Contains("by an answer that is 31 s old", (await server.Run.PosternAsync("log", "auth")).Output, StringComparison.Ordinal);
        Assert.Contains("store_unavailable", (await server.Run.PosternAsync("log", "server")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Auth_test_shows_what_a_login_rests_on_and_what_to_do()
    {
        MakeUsers();
        await server.StartAsync(Configuration);
        var right = await server.Run.WithInputAsync("doughnut\n", "auth", "test", "Homer@Example.net");
        Assert.Equal(ExitCode.Ok, right.ExitCode);
        Assert.Matches("name +homer@example.net\n", right.Output);
        Assert.Matches("listeners +devices\n", right.Output);
        Assert.Matches("directory +[0-9.]+ ms +knows no homer@example.net", right.Output);
        Assert.Matches("sqlite:.* [0-9.]+ ms +knows homer@example.net", right.Output);
        Assert.Matches("password 1 +.*: .*PLAIN", right.Output);
        Assert.Matches("may send as +homer@example.net", right.Output);
        Assert.Matches("slowed +no\n", right.Output);
        Assert.DoesNotContain("to do", right.Output, StringComparison.Ordinal);

        foreach (var (user, todo) in new[]
        {
            ("homer@example.net", "to do: The account is there and its password is another one: it is kept in sqlite:"),
            ("nobody@example.net", "to do: Nobody has this name on devices: postern account add nobody@example.net"),
            ("nobody", "was not asked (its key 'logins'); or postern account add nobody"),
            (LiveServer.User, "to do: The account is there and its password is another one. If nobody knows it: postern credential add lisa@example.org --generate"),
        })
        {
            var wrong = await server.Run.WithInputAsync("wrong\n", "auth", "test", user);
            Assert.Equal(ExitCode.No, wrong.ExitCode);
            Assert.Contains(todo, wrong.Output, StringComparison.Ordinal);
        }

        await server.Run.PosternAsync("account", "disable", LiveServer.User);
        Assert.Contains($"to do: The account is disabled: postern account enable {LiveServer.User}", (await server.Run.WithInputAsync("wrong\n", "auth", "test", LiveServer.User)).Output, StringComparison.Ordinal);
        File.Delete(Users);
        Assert.Contains($"to do: Mend sqlite://{Users}, and see whether it answers: postern check --live", (await server.Run.WithInputAsync("wrong\n", "auth", "test", "homer@example.net")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Auth_watch_tells_each_login_in_a_line_until_it_is_ended()
    {
        MakeUsers();
        await server.StartAsync(Configuration);
        await using var all = Watch.Start(server.Run);
        await using var failed = Watch.Start(server.Run, "--failed");
        await using var lisas = Watch.Start(server.Run, "--login", LiveServer.User);
        foreach (var watch in new[] { all, failed, lisas })
            await watch.BegunAsync();

        await using var session = await server.ConnectAsync();
        await session.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("homer@example.net", "x")}", "535");
        await session.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(LiveServer.User, "x")}", "535");
        await session.LogInAsync(LiveServer.User, LiveServer.Password);
        await server.FlushLogAsync();

        const string Homer = "homer@example.net from 127.0.0.1 on devices by PLAIN: REFUSED (535), wrong password";
        const string Lisa = "lisa@example.org from 127.0.0.1 on devices by PLAIN: REFUSED (535), wrong password";
        const string In = "lisa@example.org from 127.0.0.1 on devices by PLAIN: logged in";
        Assert.Equal([Homer, Lisa, In], await all.LinesAsync(3));
        Assert.Equal([Homer, Lisa], await failed.LinesAsync(2));
        Assert.Equal([Lisa, In], await lisas.LinesAsync(2));
    }

    private void MakeUsers()
    {
        using var sql = new SqliteConnection($"Data Source={Users};Pooling=False");
        sql.Open();
        using var command = sql.CreateCommand();
        command.CommandText = "create table people(name text, password text); insert into people values('homer@example.net', '{PLAIN}doughnut')";
        command.ExecuteNonQuery();
    }

    /// <summary>The command as it runs, until it is ended as Ctrl-C does it.</summary>
    private sealed class Watch : IAsyncDisposable
    {
        private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
        private readonly Channel<string> notes = Channel.CreateUnbounded<string>();
        private readonly CancellationTokenSource end = new();
        private Task running = Task.CompletedTask;

        public static Watch Start(CommandRun run, params string[] args)
        {
            var watch = new Watch();
            var terminal = new Terminal(new LineWriter(watch.lines.Writer), new LineWriter(watch.notes.Writer), TextReader.Null, isInteractive: false, canAsk: false);
            watch.running = Task.Run(() => PosternCommands.RunAsync(["auth", "watch", .. args, "--config", run.ConfigFile], terminal, TimeProvider.System, watch.end.Token));
            return watch;
        }

        public async Task BegunAsync() => Assert.Contains("Ctrl-C", await notes.Reader.ReadAsync(Ct), StringComparison.Ordinal);

        /// <summary>Without their times.</summary>
        public async Task<string[]> LinesAsync(int count)
        {
            var read = new List<string>();
            while (read.Count < count)
                read.Add((await lines.Reader.ReadAsync(Ct))["00:00:00Z ".Length..]);
            Assert.False(lines.Reader.TryRead(out var more), more);
            return [.. read];
        }

        public async ValueTask DisposeAsync()
        {
            await end.CancelAsync();
            await Record.ExceptionAsync(() => running);
            end.Dispose();
        }
    }

    private sealed class LineWriter(ChannelWriter<string> lines) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => lines.TryWrite(value ?? string.Empty);
    }
}
