using System.Security.Cryptography;
using System.Text;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>What a client sends, or fails to send, ends at most its own session.</summary>
[Collection(nameof(ProcessTests))]
public sealed class HostileClientCostsNothingTests
{
    private const long Tolerated = 10L << 20;

    [Fact]
    public async Task A_line_without_end_is_cut_off_and_takes_no_memory()
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
            for (; written < 256 << 20; written += block.Length)
                await endless.WriteAsync(block);
        }
        catch (IOException)
        {
            // Cut off: as it should be.
        }

        Assert.True(written < 64 << 20, $"{written} octets without a line end were taken");
        Assert.InRange(ProcessMemory.Peak(server.Id) - before, 0, Tolerated);
        await AssertServesAsync(server);
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

    private static async Task AssertServesAsync(PosternProcess server)
    {
        await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        Assert.StartsWith("250 2.0.0 Queued", await dialogue.SendAsync(PosternHome.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
    }
}
