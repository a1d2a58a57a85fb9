using System.Globalization;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>SIGKILL under load: 250 means durable.</summary>
[Collection(nameof(ProcessTests))]
public sealed class KillLosesNothingTests(ITestOutputHelper output)
{
    private const int Clients = 4;

    /// <summary>On the wire to the sink, or taken by it while the removal is still on its way into the log: two for each connection.</summary>
    private const int MostInFlight = 40;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("POSTERN_CRASH_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) ? rounds : 20;

    [Fact]
    public async Task Every_acknowledged_message_reaches_the_sink_whole_however_often_the_server_is_killed()
    {
        await using var sink = new ScriptedSink();
        using var home = await ProcessTests.HomeAsync(sink.Port);
        await using var load = new SubmissionLoad(Clients);

        for (var round = 0; round < Rounds; round++)
        {
            await using var doomed = await home.ServeAsync();
            load.SendTo(doomed["submissions"]);
            await load.NextAcknowledgementAsync();
            await Task.Delay(Random.Shared.Next(200, 1500), ProcessTests.Stop);
            load.AwaitServer();
            await doomed.KillAsync();
        }

        await load.StopAsync();
        await using var last = await home.ServeAsync();
        await last.DrainAsync(ProcessTests.Stop);
        Assert.Equal(0, await last.StopAsync());

        Assert.Empty(load.Surprises);
        var taken = sink.Messages.GroupBy(static m => Assert.Single(m.Recipients).Split('@')[0]).ToDictionary(static g => g.Key, static g => g.ToList());
        Assert.DoesNotContain(load.Acknowledged, id => !taken.ContainsKey(id));
        foreach (var (id, copies) in taken)
            Assert.All(copies, copy => AssertWhole(load, id, copy));
        var duplicates = taken.Values.Sum(static copies => copies.Count - 1);
        output.WriteLine($"{Rounds} kills, {load.Acknowledged.Count} acknowledged, {load.Sent.Count} begun, {taken.Count} at the sink, {load.Acknowledged.Count(id => !taken.ContainsKey(id))} lost, {duplicates} twice");
        Assert.InRange(duplicates, 0, Rounds * MostInFlight);
    }

    private static void AssertWhole(SubmissionLoad load, string id, SinkMessage message)
    {
        Assert.Equal(PosternHome.User, message.Sender);
        var body = message.Content.AsSpan().IndexOf("\r\n\r\n"u8);
        Assert.True(body > 0, "a message without a body");
        Assert.Contains($"\r\nSubject: {id}\r\n", message.Text, StringComparison.Ordinal);
        Assert.Equal(load.Sent[id], SubmissionLoad.DigestOf(message.Content.AsSpan(body + 4)));
    }
}
