using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>What the kernel saw: the message written, the segment synced, and only then the 250.</summary>
[Collection(nameof(ProcessTests))]
public sealed class SyncComesBeforeAcknowledgementTests
{
    private const string Mark = "a-message-that-is-easy-to-find";
    private const string Acknowledgement = "250 2.0.0 Queued as ";

    [Fact]
    public async Task The_segment_that_holds_a_message_is_synced_before_its_250()
    {
        await Tracer.SkipUnlessAvailableAsync();
        using var home = await ProcessTests.HomeAsync();
        var trace = Path.Combine(home.Root, "trace");
        await using (var server = await home.ServeAsync(Tracer.Command(trace)))
        {
            await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
            await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
            Assert.StartsWith(Acknowledgement, await dialogue.SendAsync(PosternHome.User, "bart@example.net", $"Subject: x\r\n\r\n{Mark}\r\n"), StringComparison.Ordinal);
            Assert.Equal(0, await server.StopAsync());
        }

        var calls = TracedCall.Parse(File.ReadLines(trace));
        var written = Assert.Single(calls, static c => c.Name.StartsWith("pwrite", StringComparison.Ordinal) && c.Arguments.Contains(Mark, StringComparison.Ordinal));
        Assert.Matches(@"^[0-9]+<.*/spool/[0-9a-f]{16}\.segment>", written.Arguments);
        Assert.True(written.Result > 0, written.ToString());
        var acknowledged = Assert.Single(calls, static c => c.Arguments.Contains(Acknowledgement, StringComparison.Ordinal));
        Assert.Contains(
            calls,
            c => c.Name == "fdatasync" && c.File == written.File && c.Result == 0 && c.Begin > written.End && c.End < acknowledged.Begin);
    }
}
