using System.Text.Json;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>A next hop that misbehaves: the message stays, shows in the queue why, and goes when the hop is well again.</summary>
[Collection(nameof(ProcessTests))]
public sealed class TroubledNextHopLosesNothingTests
{
    private const string Mark = "what must not be lost";

    public static TheoryData<string> Troubles => ["451 at RCPT", "421 at MAIL", "452 at the end of data", "reset at the greeting", "reset after the final dot", "closes after the final dot"];

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task A_hop_that_fails_for_now_defers_the_message_and_gets_it_later(string trouble)
    {
        // Asked each time: a hop that becomes well does so on the connections that are open, too.
        var isWell = false;
        var (phase, action) = Misbehaviour(trouble);
        await using var sink = new ScriptedSink(new SinkOptions { Script = (at, _, _) => at == phase && !Volatile.Read(ref isWell) ? action : null });
        using var home = await ProcessTests.HomeAsync(sink.Port);
        await using var server = await home.ServeAsync();
        var id = await SubmitAsync(server, "bart@example.net");

        var item = await ItemAsync(home, id, static item => item.GetProperty("state").GetString() == "deferred");
        var recipient = Assert.Single(item.GetProperty("recipients").EnumerateArray());
        Assert.Equal("bart@example.net", recipient.GetProperty("address").GetString());
        Assert.Equal("pending", recipient.GetProperty("status").GetString());
        Assert.Matches(trouble.StartsWith('4') ? $"{trouble[..3]} .*for a test" : "[Cc]onnection (reset|closed)", recipient.GetProperty("lastReply").GetString());

        Volatile.Write(ref isWell, true);
        await server.DrainAsync(ProcessTests.Stop);
        Assert.NotEmpty(sink.Messages);
        Assert.All(sink.Messages, static m => Assert.Contains(Mark, m.Text, StringComparison.Ordinal));
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task A_hop_that_hangs_after_the_final_dot_holds_up_the_stop_until_the_second_signal_and_not_the_next_start()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.EndOfData, new SinkAction.Hang()));
        using var home = await ProcessTests.HomeAsync(sink.Port);
        await using (var server = await home.ServeAsync())
        {
            var id = await SubmitAsync(server, "bart@example.net");
            await server.UntilAsync(static status => status.GetProperty("queue").GetProperty("active").GetInt32() == 1, ProcessTests.Stop);
            await ItemAsync(home, id, static _ => true);
            server.SendTerminate();
            await UntilClosedAsync(server["submission"]);
            server.SendTerminate();
            Assert.Equal(0, await server.WaitAsync());
        }

        sink.Options = new SinkOptions();
        await using var again = await home.ServeAsync();
        var message = await sink.NextMessageAsync();
        Assert.Contains(Mark, message.Text, StringComparison.Ordinal);
        await again.DrainAsync(ProcessTests.Stop);
        Assert.Single(sink.Messages);
    }

    [Fact]
    public async Task A_hop_that_refuses_for_good_makes_a_bounce_to_the_sender()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = static (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("nobody@", StringComparison.Ordinal) ? new SinkAction.Reply("550 5.1.1 No such user") : null,
        });
        using var home = await ProcessTests.HomeAsync(sink.Port);
        await using var server = await home.ServeAsync();

        await SubmitAsync(server, "nobody@example.net");
        var bounce = await sink.NextMessageAsync();

        Assert.Equal(string.Empty, bounce.Sender);
        Assert.Equal([PosternHome.User], bounce.Recipients);
        Assert.Contains("Content-Type: multipart/report; report-type=delivery-status", bounce.Text, StringComparison.Ordinal);
        Assert.Contains("Final-Recipient: rfc822; nobody@example.net", bounce.Text, StringComparison.Ordinal);
        Assert.Contains("550 5.1.1 No such user", bounce.Text, StringComparison.Ordinal);
        await server.DrainAsync(ProcessTests.Stop);
    }

    private static (SinkPhase Phase, SinkAction Action) Misbehaviour(string trouble) => trouble switch
    {
        "451 at RCPT" => (SinkPhase.Rcpt, new SinkAction.Reply("451 4.3.0 Later, for a test")),
        "421 at MAIL" => (SinkPhase.Mail, new SinkAction.Reply("421 4.3.2 Away, for a test")),
        "452 at the end of data" => (SinkPhase.EndOfData, new SinkAction.Reply("452 4.3.1 Full, for a test")),
        "reset at the greeting" => (SinkPhase.Connect, new SinkAction.Abort()),
        "reset after the final dot" => (SinkPhase.EndOfData, new SinkAction.Abort()),
        _ => (SinkPhase.EndOfData, new SinkAction.Close()),
    };

    /// <summary>The queue id.</summary>
    private static async Task<string> SubmitAsync(PosternProcess server, string to)
    {
        await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        var reply = await dialogue.SendAsync(PosternHome.User, to, $"Subject: x\r\n\r\n{Mark}\r\n");
        Assert.StartsWith("250 2.0.0 Queued as ", reply, StringComparison.Ordinal);
        return reply.Split(' ')[^1];
    }

    /// <summary>The message as <c>postern queue list</c> shows it, when it is as wanted.</summary>
    /// <summary>The first signal has arrived when the listener is closed.</summary>
    private static async Task UntilClosedAsync(System.Net.IPEndPoint listener)
    {
        while (true)
        {
            using var probe = new System.Net.Sockets.TcpClient();
            try
            {
                await probe.ConnectAsync(listener, ProcessTests.Stop);
            }
            catch (System.Net.Sockets.SocketException)
            {
                return;
            }

            await Task.Delay(20, ProcessTests.Stop);
        }
    }

    private static async Task<JsonElement> ItemAsync(PosternHome home, string id, Func<JsonElement, bool> wanted)
    {
        JsonElement queue = default;
        for (var tries = 0; tries < 60; tries++)
        {
            queue = await home.JsonAsync("queue", "list");
            var item = Assert.Single(queue.GetProperty("items").EnumerateArray());
            Assert.Equal(id, item.GetProperty("id").GetString());
            if (wanted(item))
                return item;
        }

        throw new TimeoutException(queue.ToString());
    }
}
