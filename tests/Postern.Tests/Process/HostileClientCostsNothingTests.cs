using System.Security.Cryptography;
using System.Text;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>What a client sends, or fails to send, ends at most its own session.</summary>
[Collection(nameof(ProcessTests))]
public sealed class HostileClientCostsNothingTests
{
    private const long Tolerated = 10L << 20;

    /// <summary>Nothing but the session itself may be new.</summary>
    private const long ToleratedBeforeEhlo = 2L << 20;

    /// <summary>The whole gigabyte where there is time for it; it is cut off long before either end.</summary>
    private static long Endless => Environment.GetEnvironmentVariable("POSTERN_SOAK") is { Length: > 0 } ? 1L << 30 : 256L << 20;

    [Fact]
    public async Task Row_75_and_76_a_line_without_end_before_ehlo_is_cut_off_and_takes_no_memory()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        await using (var first = await SmtpDialogue.GreetAsync(server["plain"]))
            await first.SayAsync("QUIT", "221");
        ProcessMemory.ForgetPeak(server.Id);
        var before = ProcessMemory.Resident(server.Id);

        await using var endless = await SmtpDialogue.OpenAsync(server["plain"]);
        await endless.ExpectAsync("220");
        var block = Encoding.ASCII.GetBytes(new string('x', 64 * 1024));
        var written = 0L;
        try
        {
            for (; written < Endless; written += block.Length)
                await endless.WriteAsync(block);
        }
        catch (IOException)
        {
            // Cut off: as it should be.
        }

        Assert.True(written < 64 << 20, $"{written} octets without a line end were taken");
        Assert.InRange(ProcessMemory.Peak(server.Id) - before, 0, ToleratedBeforeEhlo);
        await AssertServesAsync(server);
    }

    [Fact]
    public async Task Row_79_a_line_of_content_without_end_takes_no_memory_and_arrives()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        await AssertServesAsync(server);
        ProcessMemory.ForgetPeak(server.Id);
        var before = ProcessMemory.Resident(server.Id);

        await using var dialogue = await LogInAsync(server);
        await dialogue.BeginDataAsync(PosternHome.User, "bart@example.net");
        await dialogue.WriteAsync("Subject: one line\r\n\r\n");
        var block = Encoding.ASCII.GetBytes(new string('x', 64 * 1024));
        for (var written = 0L; written < 40_000_000; written += block.Length)
            await dialogue.WriteAsync(block);
        await dialogue.SayAsync("\r\n.", "250 2.0.0 Queued");

        Assert.InRange(ProcessMemory.Peak(server.Id) - before, 0, Tolerated);
    }

    [Fact]
    public async Task Row_79_and_83_a_header_section_of_forty_times_the_cap_is_552_and_takes_no_memory()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        await AssertServesAsync(server);
        ProcessMemory.ForgetPeak(server.Id);
        var before = ProcessMemory.Resident(server.Id);

        await using var dialogue = await LogInAsync(server);
        await dialogue.BeginDataAsync(PosternHome.User, "bart@example.net");
        var block = string.Concat(Enumerable.Repeat("To: bart@example.net\r\n", 5_000));
        for (var i = 0; i < 100; i++)
            await dialogue.WriteAsync(block);
        await dialogue.SayAsync("\r\nbody\r\n.", "552 5.3.4");

        Assert.InRange(ProcessMemory.Peak(server.Id) - before, 0, Tolerated);
        Assert.StartsWith("250 2.0.0 Queued", await dialogue.SendAsync(PosternHome.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
    }

    /// <summary>Structure within a message is the recipient's business: nothing here reads it, so nothing here can be exhausted by it.</summary>
    [Theory]
    [InlineData("Row 81 and 82: parts in parts")]
    [InlineData("Row 84: parameters")]
    [InlineData("Row 85: names of fields")]
    [InlineData("Row 86: groups in groups")]
    public async Task Row_81_82_84_85_and_86_deep_structure_goes_through_unread(string row)
    {
        var content = row[..6] switch
        {
            "Row 81" => "Subject: x\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n"
                + string.Concat(Enumerable.Range(0, 100_000).Select(static i => $"--b{i}\r\nContent-Type: multipart/mixed; boundary=b{i + 1}\r\n\r\n"))
                + string.Concat(Enumerable.Repeat("--b0\r\nContent-Type: message/rfc822\r\n\r\n", 100_000)),
            "Row 84" => "Subject: x\r\nContent-Type: text/plain; " + string.Concat(Enumerable.Range(0, 15_000).Select(static i => $"n*{i}=\"x\";\r\n ")) + "end=1\r\n\r\nbody\r\n",
            "Row 85" => "Subject: x\r\n__proto__: x\r\nconstructor: x\r\nnull: x\r\n" + new string('h', 64 * 1024) + ": x\r\n\r\nbody\r\n",
            _ => "Subject: x\r\nTo: " + string.Concat(Enumerable.Repeat("g:", 100_000)) + ";\r\n\r\nbody\r\n",
        };
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["PIPELINING", "SIZE 60000000", "8BITMIME"] });
        using var home = await ProcessTests.HomeAsync(sink.Port);
        await using var server = await home.ServeAsync();
        await using var dialogue = await LogInAsync(server);
        Assert.StartsWith("250 2.0.0 Queued", await dialogue.SendAsync(PosternHome.User, "bart@example.net", content), StringComparison.Ordinal);

        var arrived = (await sink.NextMessageAsync()).Text;
        var header = content.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.Contains(content[..header], arrived, StringComparison.Ordinal);
        Assert.EndsWith(content[header..], arrived, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Row_88_a_million_commands_in_one_go_take_no_memory()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        await AssertServesAsync(server);
        ProcessMemory.ForgetPeak(server.Id);
        var before = ProcessMemory.Resident(server.Id);

        foreach (var command in (string[])["XYZZY", "NOOP", "VRFY x"])
        {
            await using var flood = await SmtpDialogue.GreetAsync(server["plain"]);
            var block = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(command + "\r\n", 10_000)));
            var reading = flood.ReadToEndAsync();
            try
            {
                for (var i = 0; i < 100; i++)
                    await flood.WriteAsync(block);
            }
            catch (IOException)
            {
                // Cut off: as it should be.
            }

            Assert.InRange((await reading).Split('\n').Length, 0, 6_100);
        }

        Assert.InRange(ProcessMemory.Peak(server.Id) - before, 0, Tolerated);
        await AssertServesAsync(server);
    }

    [Fact]
    public async Task A_process_above_its_memory_takes_no_mail_and_says_why_in_status_and_log()
    {
        using var home = await ProcessTests.HomeAsync(more: "limits: { memory: 1MiB }");
        await using var server = await home.ServeAsync();
        await server.UntilAsync(static status => status.GetProperty("load").GetProperty("state").GetString() == "full", ProcessTests.Stop);
        await using var turnedAway = await SmtpDialogue.OpenAsync(server["plain"]);
        await turnedAway.ExpectAsync("421 4.3.2");

        var load = (await server.StatusAsync(ProcessTests.Stop)).GetProperty("load");
        Assert.Equal(("memory", 1), (load.GetProperty("gauge").GetString(), load.GetProperty("timesFull").GetInt32()));
        Assert.Contains("full, memory at 1.00", (await home.RunAsync("status")).Output, StringComparison.Ordinal);
        Assert.Contains("load_changed", server.Output.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garbage_before_ehlo_ends_that_session_alone()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        foreach (var listener in (string[])["plain", "submission", "submissions"])
        {
            for (var length = 1; length < 300_000; length *= 17)
            {
                await using var garbage = await SmtpDialogue.OpenAsync(server[listener]);
                try
                {
                    await garbage.WriteAsync(RandomNumberGenerator.GetBytes(length));
                    await garbage.WriteAsync("\r\n");
                    garbage.EndOfInput();
                }
                catch (IOException)
                {
                    // It was cut off in the middle.
                }

                var answer = await garbage.ReadToEndAsync();
                Assert.DoesNotMatch("(?m)^(235|354|250 2)", answer);
            }
        }

        await AssertServesAsync(server);
        Assert.DoesNotContain("\"what\":\"fault\"", server.Output.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_disappears_in_mid_data_leaves_nothing_in_the_queue()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        foreach (var octets in (long[])[100, 100_000, 3_000_000])
        {
            await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
            await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
            await dialogue.BeginDataAsync(PosternHome.User, "bart@example.net");
            await dialogue.WriteAsync("Subject: never whole\r\n\r\n");
            await dialogue.FillAsync(octets);
            dialogue.Vanish();
        }

        await server.UntilAsync(static status => status.GetProperty("connections").GetInt32() == 0, ProcessTests.Stop);
        Assert.Equal(0, (await server.StatusAsync(ProcessTests.Stop)).GetProperty("queue").GetProperty("messages").GetInt32());
        Assert.Equal(0, await server.StopAsync());
        Assert.Equal(0, (await home.JsonAsync("queue", "list")).GetProperty("total").GetInt32());
    }

    private static async Task<SmtpDialogue> LogInAsync(PosternProcess server)
    {
        var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        return dialogue;
    }

    private static async Task AssertServesAsync(PosternProcess server)
    {
        await using var dialogue = await LogInAsync(server);
        Assert.StartsWith("250 2.0.0 Queued", await dialogue.SendAsync(PosternHome.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
    }
}
