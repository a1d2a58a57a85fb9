using System.Text.Json;
using Postern.Commands.Output;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing.Sinks;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>From an account that has its content kept to the operator who reads it, sends it again and removes it.</summary>
public sealed class KeptContentTests : IAsyncDisposable
{
    private const string Body = "\r\n\r\n.Pay soon\r\n";

    private readonly LiveServer server = new();
    private readonly ScriptedSink sink = new();

    private CommandRun Run => server.Run;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task What_an_account_sent_is_told_of_read_and_removed_and_the_log_says_who_did()
    {
        await server.StartAsync(Routed());
        var before = await SendAsync("bart@example.net");
        Assert.Contains("is kept for 7d", (await Run.PosternAsync("account", "grant", LiveServer.User, "--keep", "7d")).Output, StringComparison.Ordinal);
        Assert.Contains("kept for 7d", (await Run.PosternAsync("account", "show", LiveServer.User)).Output, StringComparison.Ordinal);
        var id = await SendAsync("bart@example.net");
        await KeptAsync(id);

        Assert.Contains("content is kept until ", (await Run.PosternAsync("log", "mail", "--id", id)).Output, StringComparison.Ordinal);
        Assert.Contains($"content is kept until ", (await Run.PosternAsync("queue", "show", id)).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("content is kept", (await Run.PosternAsync("log", "mail", "--id", before)).Output, StringComparison.Ordinal);
        Assert.Contains("1 messages, ", (await Run.PosternAsync("status")).Output, StringComparison.Ordinal);

        var shown = await Run.PosternAsync("log", "content", id);
        Assert.Equal(ExitCode.Ok, shown.ExitCode);
        Assert.Contains("Subject: invoice 7\n", shown.Output, StringComparison.Ordinal);
        Assert.EndsWith("\n\n.Pay soon\n", shown.Output, StringComparison.Ordinal);
        var file = Path.Combine(Run.Root, "out.eml");
        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync("log", "content", id, "--output", file)).ExitCode);
        Assert.EndsWith(Body, await File.ReadAllTextAsync(file, Cancelled), StringComparison.Ordinal);
        Assert.Equal(ExitCode.No, (await Run.PosternAsync("log", "content", before)).ExitCode);

        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync("log", "content", id, "--remove")).ExitCode);
        Assert.Equal(ExitCode.No, (await Run.PosternAsync("log", "content", id)).ExitCode);
        Assert.DoesNotContain("content is kept", (await Run.PosternAsync("log", "mail", "--id", id)).Output, StringComparison.Ordinal);
        Assert.Equal(["content read", "content read", "content remove"], await ActionsAsync(id));
    }

    [Fact]
    public async Task A_message_is_sent_again_to_all_to_those_it_did_not_get_to_or_to_another()
    {
        sink.Options = new SinkOptions
        {
            Script = static (phase, line, _) => phase == SinkPhase.Rcpt && line.StartsWith("RCPT TO:<gone@", StringComparison.Ordinal) ? new SinkAction.Reply("550 5.1.1 no such mailbox") : null,
        };
        await server.StartAsync(Routed("keep: { content: [{ domain: example.org, for: 30d }] }\n"));
        var id = await SendAsync("bart@example.net", "gone@example.net");
        await KeptAsync(id);
        await sink.NextMessageAsync();

        var failed = await Run.JsonAsync("queue", "resend", id, "--failed");
        Assert.Equal(["gone@example.net"], Recipients(failed));
        Assert.NotEqual(id, failed.GetProperty("id").GetString());
        Assert.Equal(["bart@example.net", "gone@example.net"], Recipients(await Run.JsonAsync("queue", "resend", id)));
        var other = await Run.JsonAsync("queue", "resend", id, "--to", "maggie@example.org", "--to", "MAGGIE@example.org");

        Assert.Equal(["maggie@example.org"], Recipients(other));
        await UntilAsync(() => sink.Messages.Any(static m => m.Recipients.Contains("maggie@example.org")));
        Assert.EndsWith(Body, sink.Messages.Single(static m => m.Recipients.Contains("maggie@example.org")).Text, StringComparison.Ordinal);
        Assert.Equal(["queue resend", "queue resend", "queue resend"], await ActionsAsync(id));
        Assert.Equal(["queue resend"], await ActionsAsync(other.GetProperty("id").GetString()!));
        await KeptAsync(other.GetProperty("id").GetString()!);
        Assert.Equal((ExitCode.No, true), Said(await Run.PosternAsync("queue", "resend", other.GetProperty("id").GetString()!, "--failed"), "got to all that it was for"));
    }

    [Fact]
    public async Task What_is_not_kept_is_not_sent_again_and_what_waits_is_not_sent_twice()
    {
        await server.StartAsync(LiveServer.Listeners + "keep: { content: [{ login: lisa@example.org, for: 30d }] }\n");
        var id = await SendAsync("bart@example.net");

        Assert.Equal(30 * 86_400, (await Run.JsonAsync("queue", "show", id)).GetProperty("keepSeconds").GetInt32());
        Assert.Contains("kept for 30d from the end of the delivery on", (await Run.PosternAsync("queue", "show", id)).Output, StringComparison.Ordinal);
        Assert.Equal((ExitCode.No, true), Said(await Run.PosternAsync("queue", "resend", id), $"in the queue still"));
        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync("queue", "remove", id, "--yes")).ExitCode);
        Assert.Equal((ExitCode.No, true), Said(await Run.PosternAsync("queue", "resend", id), "is not kept, or no longer"));
        Assert.Equal(ExitCode.Usage, (await Run.PosternAsync("queue", "resend", id, "--to", "nobody")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await Run.PosternAsync("queue", "resend", id, "--to", "a@example.org", "--failed")).ExitCode);
    }

    [Fact]
    public async Task Without_a_server_a_message_is_sent_again_by_the_next_one_and_what_is_over_is_gone()
    {
        await server.StartAsync(Routed("keep: { content: [{ domain: example.org, for: 30d }] }\n"));
        var id = await SendAsync("bart@example.net");
        await KeptAsync(id);
        await server.Host.DisposeAsync();

        var again = await Run.JsonAsync("queue", "resend", id);

        Assert.Equal([again.GetProperty("id").GetString()], (await Run.JsonAsync("queue", "list")).GetProperty("items").EnumerateArray().Select(static i => i.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task An_account_has_what_was_said_of_it_last()
    {
        var run = new CommandRun();
        Assert.Contains("kept for 1d12h", (await RunAsync("account", "add", "a@example.org", "--keep", "36h")).Output + (await RunAsync("account", "show", "a@example.org")).Output, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Ok, true), Said(await RunAsync("account", "grant", "a@example.org", "--keep", "off"), "is not kept"));
        Assert.Equal((ExitCode.Ok, true), Said(await RunAsync("account", "grant", "a@example.org", "--keep", "off"), "is not kept already"));
        Assert.Equal((ExitCode.Ok, true), Said(await RunAsync("account", "revoke", "a@example.org", "--keep"), "kept as the configuration says"));
        Assert.Equal((ExitCode.Usage, true), Said(await RunAsync("account", "grant", "a@example.org", "--keep", "1s"), "a time from 1m to 3650d such as 7d, or 'off'"));
        Assert.Equal((ExitCode.Usage, true), Said(await RunAsync("account", "grant", "a@example.org", "--keep", "1d", "--tenant", "acme"), "stands alone"));
        run.Dispose();

        Task<CommandRun.Result> RunAsync(params string[] args) => run.PosternAsync(args);
    }

    private static (int, bool) Said(CommandRun.Result result, string text) => (result.ExitCode, (result.Output + result.Error).Contains(text, StringComparison.Ordinal));

    private static string[] Recipients(JsonElement answer) => [.. answer.GetProperty("recipients").EnumerateArray().Select(static r => r.GetString()!)];

    private string Routed(string more = "") => $"{LiveServer.Listeners}delivery: {{ routes: [{{ to: '*', via: 'smtp://127.0.0.1:{sink.Port}' }}] }}\n{more}";

    private Task KeptAsync(string id) => UntilAsync(() =>
        Directory.Exists(Path.Combine(Run.Data, "kept")) && Directory.GetFiles(Path.Combine(Run.Data, "kept"), $"{id}.*", SearchOption.AllDirectories) is [var only] && !only.EndsWith(".new", StringComparison.Ordinal));

    /// <summary>Moves the clock by a second at a time: what is kept for days is still there afterwards.</summary>
    private async Task UntilAsync(Func<bool> isSo)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(10, late.Token);
        }
    }

    private async Task<string[]> ActionsAsync(string id)
    {
        var found = new List<AdminEvent>();
        await foreach (var audit in new AuditSearch(Path.Combine(Run.Data, "logs")).FindAsync(new AuditQuery { Kinds = AuditKind.Admin, QueueId = id, Limit = 100 }, Cancelled))
            found.Add(Assert.IsType<AdminEvent>(audit));
        return [.. found.OrderBy(static e => e.At).Select(static e => e.Action)];
    }

    private async Task<string> SendAsync(params string[] recipients)
    {
        await using var session = await server.ConnectAsync();
        await session.LogInAsync(LiveServer.User, LiveServer.Password);
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        foreach (var recipient in recipients)
            await session.SayAsync($"RCPT TO:<{recipient}>", "250");
        await session.SayAsync("DATA", "354");
        var queued = await session.SayAsync("Subject: invoice 7\r\n\r\n..Pay soon\r\n.", "250 2.0.0 Queued as ");
        return queued["250 2.0.0 Queued as ".Length..].Trim();
    }
}
