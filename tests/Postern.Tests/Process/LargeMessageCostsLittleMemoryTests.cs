using System.Globalization;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>A message is never whole in memory: not while it comes, not while it goes.</summary>
[Collection(nameof(ProcessTests))]
public sealed class LargeMessageCostsLittleMemoryTests(ITestOutputHelper output)
{
    private const long Large = 49_900_000;
    private const long Tolerated = 10L << 20;

    [Fact]
    public async Task A_message_of_50_MB_raises_the_process_by_less_than_10_MB()
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["PIPELINING", "SIZE 60000000", "8BITMIME", "ENHANCEDSTATUSCODES"] });
        using var home = await ProcessTests.HomeAsync(sink.Port);
        await using var server = await home.ServeAsync();
        for (var i = 0; i < 5; i++)
            await SendAsync(server, 4_000);
        var small = ProcessMemory.Resident(server.Id);
        await SendAsync(server, Large);
        await server.DrainAsync(ProcessTests.Stop);
        var first = ProcessMemory.Peak(server.Id) - small;

        ProcessMemory.ForgetPeak(server.Id);
        var before = ProcessMemory.Resident(server.Id);
        await SendAsync(server, Large);
        await server.DrainAsync(ProcessTests.Stop);
        var growth = ProcessMemory.Peak(server.Id) - before;

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the first large message: {first >> 10} KiB above {small >> 10} KiB; the second: {growth >> 10} KiB above {before >> 10} KiB"));
        Assert.InRange(growth, 0, Tolerated);
    }

    [Fact]
    public async Task An_oversize_message_is_552_while_it_streams_and_takes_no_memory()
    {
        using var home = await ProcessTests.HomeAsync(more: "limits: { message_size: 1MB }");
        await using var server = await home.ServeAsync();
        await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        await dialogue.SendAsync(PosternHome.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n");
        ProcessMemory.ForgetPeak(server.Id);
        var before = ProcessMemory.Resident(server.Id);

        await dialogue.BeginDataAsync(PosternHome.User, "bart@example.net");
        await dialogue.FillAsync(20_000_000);
        await dialogue.SayAsync(".", "552 5.3.4");

        Assert.InRange(ProcessMemory.Peak(server.Id) - before, 0, Tolerated);
        await dialogue.SayAsync($"MAIL FROM:<{PosternHome.User}> SIZE=1000001", "552 5.3.4");
        Assert.StartsWith("250 2.0.0", await dialogue.SendAsync(PosternHome.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
        Assert.Equal(2, (await home.JsonAsync("queue", "list")).GetProperty("total").GetInt32());
    }

    private static async Task SendAsync(PosternProcess server, long octets)
    {
        await using var dialogue = await SmtpDialogue.GreetAsync(server["submissions"], implicitTls: true);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        await dialogue.BeginDataAsync(PosternHome.User, "bart@example.net");
        await dialogue.WriteAsync("Subject: large\r\n\r\n");
        await dialogue.FillAsync(octets);
        await dialogue.SayAsync(".", "250 2.0.0 Queued as ");
    }
}
