using System.Text.Json;
using Postern.Commands.Output;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

public sealed class QueueCommandTests
{
    [Theory]
    [InlineData("all five", 5)]
    [InlineData("to a recipient", 2, "--to", "bart@example.net")]
    [InlineData("to a domain", 3, "--to", "example.net")]
    [InlineData("to an address that has its message already", 0, "--to", "done@example.net")]
    [InlineData("from a sender", 1, "--from", "LISA@example.org")]
    [InlineData("from a domain", 3, "--from", "example.org")]
    [InlineData("bounces", 1, "--from", "<>")]
    [InlineData("from or to a domain", 4, "--domain", "example.org")]
    [InlineData("old", 1, "--older-than", "1d")]
    [InlineData("held", 1, "--held")]
    [InlineData("from a domain and held", 1, "--from", "example.org", "--held")]
    [InlineData("tried and put off", 1, "--outcome", "deferred")]
    [InlineData("not tried", 3, "--outcome", "waiting")]
    [InlineData("held, by its outcome", 1, "--outcome", "HELD")]
    [InlineData("delivered in part", 1, "--outcome", "delivered")]
    [InlineData("arrived lately", 4, "--since", "1d")]
    [InlineData("arrived before", 1, "--until", "1d")]
    [InlineData("arrived after a date", 5, "--since", "2001-02-03")]
    [InlineData("of a login", 0, "--login", "nobody")]
    [InlineData("of a client", 0, "--client", "192.0.2.0/24")]
    [InlineData("with a message id that the log does not know", 0, "--message-id", "<x@example.org>")]
    [InlineData("by what was said last", 0, "--cause", "greylisted")]
    [InlineData("nothing", 0, "--to", "nobody@example.com")]
    public async Task A_filter_meets_what_fits_all_of_it(string what, int expected, params string[] filter)
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        await FillAsync(server.Spool);

        var page = await run.JsonAsync(["queue", "list", .. filter]);

        Assert.Equal((what, expected), (what, page.GetProperty("total").GetInt32()));
        Assert.Equal(expected, page.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_file_with_mistakes_keeps_nobody_from_the_queue_of_the_server_that_runs()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\nlimits: { idel: 5m }\n");
        await using (var server = await RunningServer.StartAsync(run.Data))
        {
            await FillAsync(server.Spool);
            var list = await run.PosternAsync("queue", "list");
            Assert.Equal(ExitCode.Ok, list.ExitCode);
            Assert.Contains("5 in all", list.Output, StringComparison.Ordinal);
            Assert.Contains($"{run.ConfigFile} has mistakes, which 'postern check' tells; the running server goes by what it took before", list.Error, StringComparison.Ordinal);
            Assert.Equal(ExitCode.Ok, (await run.PosternAsync("queue", "hold", "--to", "bart@example.net")).ExitCode);
            var show = await run.PosternAsync("queue", "show", Ids(await run.JsonAsync("queue", "list"))[0]);
            Assert.Equal(ExitCode.Ok, show.ExitCode);
            Assert.Contains("bart@example.net", show.Output, StringComparison.Ordinal);
        }

        var stopped = await run.PosternAsync("queue", "list");
        Assert.Equal(ExitCode.Usage, stopped.ExitCode);
        Assert.Contains("limits.idel: unknown key", stopped.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_is_found_by_the_message_id_that_its_log_has_and_removed_by_it_alone()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        await FillAsync(server.Spool);
        var id = (await server.Spool.AddAsync("a@example.org", ["b@example.net"])).ToString();
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Path.Combine(run.Data, "logs") }, TimeProvider.System))
            log.Append(new AcceptedEvent(TimeProvider.System.GetUtcNow(), new("s", "in", "192.0.2.7"), id, "a@example.org", ["b@example.net"], 3) { MessageId = "<m1@example.org>" });

        Assert.Equal([id], Ids(await run.JsonAsync("queue", "list", "--message-id", "m1@example.org")));
        Assert.Equal((1, 1), Change(await run.JsonAsync("queue", "remove", "--message-id", "<m1@example.org>", "--yes")));
        Assert.Equal((0, 0), Change(await run.JsonAsync("queue", "remove", "--message-id", "<unknown@example.org>", "--yes")));
        Assert.Equal(5, server.Spool.Count);
    }

    [Fact]
    public async Task What_is_queued_is_shown_as_text_and_exported_octet_for_octet()
    {
        const string Content = "Subject: caf\u00e9 \u001b[2J\r\n\r\n\tx\r\n.\r\n";
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        var id = (await server.Spool.AddAsync("a@example.org", ["b@example.net"], content: Content)).ToString();
        var file = Path.Combine(run.Root, "out.eml");

        var show = await run.PosternAsync("queue", "show", id, "--content");
        var export = await run.PosternAsync("queue", "export", id, "--output", file);

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (show.ExitCode, export.ExitCode));
        Assert.Contains("Subject: caf\u00e9 \\u001B[2J\n\n    x\n.\n", show.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', show.Output);
        Assert.Equal(System.Text.Encoding.UTF8.GetBytes(Content), await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(ExitCode.No, (await run.PosternAsync("queue", "export", id, "--output", file)).ExitCode);
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("queue", "show", id, "--content", "--json")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("queue", "export", "01JD0K3ZQ8Y6X5V4T3S2R1P0NM", "--output", Path.Combine(run.Root, "none.eml"))).ExitCode);
        Assert.False(File.Exists(Path.Combine(run.Root, "none.eml")));
        // Who read somebody's mail is written down.
        Assert.Contains(server.Events.All.OfType<AdminEvent>(), e => e.Action == "queue read" && e.Target == id);
    }

    [Fact]
    public async Task Without_a_server_a_message_is_exported_from_the_spool_itself()
    {
        using var run = new CommandRun();
        Directory.CreateDirectory(run.Data);
        string id;
        await using (var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = Path.Combine(run.Data, "spool"), SegmentSize = 1 << 20, Reserve = 0 }, TimeProvider.System))
            id = (await spool.AddAsync("a@example.org", ["b@example.net"], content: "Subject: x\r\n\r\ny\r\n")).ToString();
        var file = Path.Combine(run.Root, "out.eml");

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("queue", "export", id, "--output", file)).ExitCode);
        Assert.Equal("Subject: x\r\n\r\ny\r\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_long_queue_is_listed_page_by_page()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        await FillAsync(server.Spool);

        var first = await run.JsonAsync("queue", "list", "--limit", "3");
        var ids = Ids(first);
        var second = await run.JsonAsync("queue", "list", "--limit", "3", "--after", ids[^1]);

        Assert.Equal((5, 3, 2), (first.GetProperty("total").GetInt32(), ids.Length, Ids(second).Length));
        Assert.Empty(ids.Intersect(Ids(second)));
        Assert.Contains("3 shown, 5 in all", (await run.PosternAsync("queue", "list", "--limit", "3")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_is_held_released_retried_and_removed()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        var id = (await server.Spool.AddAsync("a@example.org", ["b@example.net"])).ToString();

        Assert.Equal("waiting", (await run.JsonAsync("queue", "show", id)).GetProperty("state").GetString());
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("queue", "hold", id)).ExitCode);
        Assert.Equal("held", (await run.JsonAsync("queue", "show", id)).GetProperty("state").GetString());
        Assert.Equal((1, 0), Change(await run.JsonAsync("queue", "retry", id)));
        Assert.Equal((1, 1), Change(await run.JsonAsync("queue", "release", id)));
        Assert.Equal((1, 0), Change(await run.JsonAsync("queue", "release", id)));
        Assert.Equal((1, 1), Change(await run.JsonAsync("queue", "remove", id)));
        Assert.Equal(ExitCode.No, (await run.PosternAsync("queue", "show", id)).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("queue", "remove", id)).ExitCode);
    }

    [Fact]
    public async Task Removing_many_counts_first_and_asks()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        await FillAsync(server.Spool);
        string[] remove = ["queue", "remove", "--to", "example.net", "--config", run.ConfigFile];

        var nobody = await CommandRun.ExecuteAsync(remove);
        Assert.Equal((ExitCode.Usage, 5), (nobody.ExitCode, server.Spool.Count));
        Assert.Contains("3 messages would be removed", nobody.Error, StringComparison.Ordinal);

        var no = await CommandRun.ExecuteAsync(remove, "n\n", canAsk: true);
        Assert.Equal((ExitCode.No, 5), (no.ExitCode, server.Spool.Count));
        Assert.Contains("Remove 3 messages?", no.Error, StringComparison.Ordinal);

        var yes = await CommandRun.ExecuteAsync(remove, "y\n", canAsk: true);
        Assert.Equal((ExitCode.Ok, 2), (yes.ExitCode, server.Spool.Count));

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("queue", "remove", "--all", "--yes")).ExitCode);
        Assert.Equal(0, server.Spool.Count);
    }

    [Theory]
    [InlineData("bounce", "returned to their senders")]
    [InlineData("redirect", "sent to x@example.org", "--address", "x@example.org")]
    public async Task What_cannot_be_taken_back_asks_too(string name, string done, params string[] with)
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        await FillAsync(server.Spool);
        string[] command = ["queue", name, "--to", "example.net", .. with, "--config", run.ConfigFile];

        var nobody = await CommandRun.ExecuteAsync(command);
        Assert.Equal(ExitCode.Usage, nobody.ExitCode);
        Assert.Contains($"3 messages would be {done}, and there is nobody to ask", nobody.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.No, (await CommandRun.ExecuteAsync(command, "n\n", canAsk: true)).ExitCode);
        Assert.Empty(server.Events.All.OfType<AdminEvent>());
        Assert.Equal((3, 3), Change(await run.JsonAsync([.. command[..^2], "--yes"])));
    }

    [Theory]
    [InlineData("'nonsense' is not an address", "redirect", "--all", "--address", "nonsense")]
    [InlineData("to whom is missing: --address", "redirect", "--all")]
    [InlineData("queue reroute: ", "reroute", "--all", "--via", "nonsense")]
    [InlineData("no message is named", "bounce")]
    [InlineData("'a b' is not a domain", "suspend", "a b")]
    [InlineData("'x' is not a reference", "undo", "x")]
    public async Task What_is_wrong_is_said_before_anything_changes(string words, params string[] command)
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        await FillAsync(server.Spool);
        var result = await run.PosternAsync(["queue", .. command]);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(server.Events.All.OfType<AdminEvent>());
    }

    [Fact]
    public async Task A_change_is_taken_back_by_its_reference_for_the_messages_that_it_changed()
    {
        using var run = new CommandRun();
        Directory.CreateDirectory(run.Data);
        await using (var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = Path.Combine(run.Data, "spool"), SegmentSize = 1 << 20, Reserve = 0 }, TimeProvider.System))
            await FillAsync(spool);

        var hold = await run.JsonAsync("queue", "hold", "--from", "example.org");
        Assert.Equal((3, 2), Change(hold));
        var undo = await run.PosternAsync("queue", "undo", hold.GetProperty("ref").GetString()!);
        Assert.Equal((ExitCode.Ok, "undo: 2 messages still there, 2 changed\n"), (undo.ExitCode, undo.Output));
        // The one that was held before is held still.
        Assert.Equal(1, (await run.JsonAsync("queue", "list", "--held")).GetProperty("total").GetInt32());

        var reroute = await run.JsonAsync("queue", "reroute", "--all", "--via", "smtp://backup.example.net");
        var id = Ids(await run.JsonAsync("queue", "list"))[0];
        Assert.Contains("smtp://backup.example.net, in the place of the routes", (await run.PosternAsync("queue", "show", id)).Output, StringComparison.Ordinal);
        Assert.Equal((5, 5), Change(await run.JsonAsync("queue", "undo", reroute.GetProperty("ref").GetString()!)));
        Assert.False((await run.JsonAsync("queue", "show", id)).TryGetProperty("via", out var via) && via.ValueKind != JsonValueKind.Null);

        var remove = await run.JsonAsync("queue", "remove", id);
        var gone = await run.PosternAsync("queue", "undo", remove.GetProperty("ref").GetString()!);
        Assert.Equal(ExitCode.No, gone.ExitCode);
        Assert.Contains("queue remove cannot be taken back", gone.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("queue", "undo", "K7M3Q9")).ExitCode);
    }

    [Fact]
    public async Task Domains_are_suspended_and_resumed_with_and_without_a_server()
    {
        using var run = new CommandRun();
        await using (var server = await RunningServer.StartAsync(run.Data))
        {
            await FillAsync(server.Spool);
            Assert.Equal("nothing is suspended\n", (await run.PosternAsync("queue", "suspend")).Output);
            Assert.Equal("suspend: 2 changed; suspended: example.com, example.net\n", (await run.PosternAsync("queue", "suspend", "example.net", "Example.COM")).Output);
            Assert.Equal(4, (await run.JsonAsync("queue", "list")).GetProperty("items").EnumerateArray().Count(static i => i.GetProperty("state").GetString() is "suspended" or "held"));
            var stats = await run.JsonAsync("queue", "stats");
            Assert.Equal((5, 4, 1), (stats.GetProperty("messages").GetInt32(), stats.GetProperty("waiting").GetInt32() + stats.GetProperty("deferred").GetInt32(), stats.GetProperty("held").GetInt32()));
            var first = stats.GetProperty("destinations")[0];
            Assert.Equal(("example.net", 4, true), (first.GetProperty("domain").GetString(), first.GetProperty("recipients").GetInt32(), first.GetProperty("isSuspended").GetBoolean()));
            Assert.Contains("example.net (suspended)", (await run.PosternAsync("queue", "stats")).Output, StringComparison.Ordinal);
            Assert.Equal("resume: 1 changed; suspended: example.com\n", (await run.PosternAsync("queue", "resume", "example.net")).Output);
            Assert.Contains(server.Events.All.OfType<AdminEvent>(), static e => e is { Action: "queue suspend", Target: "example.net" });
        }

        Assert.Equal("suspend: 1 changed; suspended: example.org\n", (await run.PosternAsync("queue", "suspend", "example.org")).Output);
        Assert.Equal(["example.org"], await File.ReadAllLinesAsync(Path.Combine(run.Data, "suspended"), TestContext.Current.CancellationToken));
        Assert.Equal("nothing is suspended\n", (await run.PosternAsync("queue", "resume", "example.org")).Output.Split("; ")[1]);
    }

    [Fact]
    public async Task One_message_is_told_whole_also_when_it_has_left_the_queue()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        var id = (await server.Spool.AddAsync("a@example.org", ["b@example.net"])).ToString();
        var at = TimeProvider.System.GetUtcNow();
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Path.Combine(run.Data, "logs") }, TimeProvider.System))
        {
            log.Append(new AcceptedEvent(at, new("s", "in", "192.0.2.7") { User = "lisa" }, id, "a@example.org", ["b@example.net"], 3));
            log.Append(new DeliveryEvent(at, id, "b@example.net", DeliveryOutcome.Deferred, 1, "451 4.7.1 Greylisted")
            {
                Remote = "mx.example.net[192.0.2.9]:25", Tls = "TLSv1.3", TlsTrust = "verified", Phase = "rcpt", Category = "policy", NextAttempt = at.AddMinutes(5),
            });
            log.Append(new AdminEvent(at, "root", "queue retry", id) { Ref = "K7M3Q9" });
            log.Append(new DeliveryEvent(at, "01JD0K3ZQ8Y6X5V4T3S2R1P0NM", "other@example.net", DeliveryOutcome.Delivered, 1, "250 ok"));
        }

        var show = await run.PosternAsync("queue", "show", id);
        Assert.Equal(ExitCode.Ok, show.ExitCode);
        foreach (var part in (string[])["login lisa", "mx.example.net[192.0.2.9]:25", "TLSv1.3 verified", "rcpt", "policy", "451 4.7.1 Greylisted", "queue retry"])
            Assert.Contains(part, show.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("other@example.net", show.Output, StringComparison.Ordinal);
        await run.PosternAsync("queue", "remove", id);
        var gone = await run.PosternAsync("queue", "show", id);
        Assert.Equal(ExitCode.No, gone.ExitCode);
        Assert.Contains("Greylisted", gone.Output, StringComparison.Ordinal);
        Assert.Contains("Greylisted", (await run.PosternAsync("log", "mail", "--id", id)).Output, StringComparison.Ordinal);
        Assert.Equal(["accepted", "delivery", "admin"], (await run.JsonAsync("log", "mail", "--id", id)).EnumerateArray().Select(static e => e.GetProperty("event").GetString()));
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("log", "mail", "--id", "x")).ExitCode);
    }

    [Fact]
    public async Task What_the_network_said_cannot_reach_the_terminal()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        var id = await server.Spool.AddAsync("a@example.org", ["b@example.net"], static s => s with { Attempts = 1, Recipients = [new(RecipientStatus.Pending, "451 \u001b[2J\u202eevil[/]")] });

        var list = await run.PosternAsync("queue", "list");
        var show = await run.PosternAsync("queue", "show", id.ToString());

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (list.ExitCode, show.ExitCode));
        Assert.DoesNotContain('\u001b', list.Output + show.Output);
        Assert.DoesNotContain('\u202e', list.Output + show.Output);
        Assert.Contains("evil[/]", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_server_the_same_commands_work_on_the_spool_itself()
    {
        using var run = new CommandRun();
        Directory.CreateDirectory(run.Data);
        await using (var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = Path.Combine(run.Data, "spool"), SegmentSize = 1 << 20, Reserve = 0 }, TimeProvider.System))
            await FillAsync(spool);

        Assert.Equal(5, (await run.JsonAsync("queue", "list")).GetProperty("total").GetInt32());
        Assert.Equal((3, 2), Change(await run.JsonAsync("queue", "hold", "--from", "example.org")));
        Assert.Equal(3, (await run.JsonAsync("queue", "list", "--held")).GetProperty("total").GetInt32());
        Assert.Equal((5, 5), Change(await run.JsonAsync("queue", "remove", "--all", "--yes")));
        Assert.Equal(0, (await run.JsonAsync("queue", "list")).GetProperty("total").GetInt32());
        Assert.Equal(7, (await run.JsonAsync("log", "admin")).GetArrayLength());
    }

    [Fact]
    public async Task Where_nothing_was_ever_accepted_the_queue_is_empty_and_stays_unmade()
    {
        using var run = new CommandRun();

        Assert.Equal("no messages\n", (await run.PosternAsync("queue", "list")).Output);
        Assert.False(Directory.Exists(run.Data));
    }

    [Fact]
    public async Task A_spool_that_a_process_holds_without_answering_is_said_in_two_lines()
    {
        using var run = new CommandRun();
        Directory.CreateDirectory(run.Data);
        await using var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = Path.Combine(run.Data, "spool"), SegmentSize = 1 << 20, Reserve = 0 }, TimeProvider.System);

        var list = await run.PosternAsync("queue", "list");

        Assert.Equal(ExitCode.No, list.ExitCode);
        Assert.Contains($"in use by process {Environment.ProcessId}", list.Error, StringComparison.Ordinal);
    }

    private static async Task FillAsync(ISpool spool)
    {
        await spool.AddAsync("lisa@example.org", ["bart@example.net"]);
        await spool.AddAsync("app@example.org", ["bart@example.net", "maggie@example.net"], static s => s with { Held = true });
        await spool.AddAsync("homer@example.org", ["done@example.net", "ned@example.com"], static s => s with { Recipients = [new(RecipientStatus.Delivered, "250 ok"), RecipientState.Pending] });
        await spool.AddAsync(string.Empty, ["lisa@example.org"], age: TimeSpan.FromDays(2));
        await spool.AddAsync("ned@example.com", ["maggie@example.net"], static s => s with { Attempts = 2 });
    }

    private static string[] Ids(JsonElement page) => [.. page.GetProperty("items").EnumerateArray().Select(static i => i.GetProperty("id").GetString()!)];

    private static (int Matched, int Changed) Change(JsonElement change) => (change.GetProperty("matched").GetInt32(), change.GetProperty("changed").GetInt32());
}
