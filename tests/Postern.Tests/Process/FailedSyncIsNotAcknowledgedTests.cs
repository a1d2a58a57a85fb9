using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>After a sync that failed nothing is known of the segment: nothing more is accepted, and what was acknowledged before is still there.</summary>
[Collection(nameof(ProcessTests))]
public sealed class FailedSyncIsNotAcknowledgedTests
{
    // The first sync is that of the segment's header.
    private const string FailTheThirdSync = "inject=fdatasync:error=EIO:when=3+";

    [Fact]
    public async Task A_message_whose_sync_fails_is_451_and_so_is_every_later_one_until_a_restart()
    {
        await Tracer.SkipUnlessAvailableAsync();
        using var home = await ProcessTests.HomeAsync();
        await using (var server = await home.ServeAsync(Tracer.Command("/dev/null", "-e", FailTheThirdSync)))
        {
            await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
            await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);

            var first = await dialogue.SendAsync(PosternHome.User, "kept@example.net", "Subject: kept\r\n\r\nx\r\n");
            var second = await dialogue.SendAsync(PosternHome.User, "refused@example.net", "Subject: refused\r\n\r\nx\r\n");
            await dialogue.SayAsync($"MAIL FROM:<{PosternHome.User}>", "250");
            await dialogue.SayAsync("RCPT TO:<later@example.net>", "250");
            var third = await dialogue.AskAsync("DATA");

            Assert.StartsWith("250 2.0.0 Queued as ", first, StringComparison.Ordinal);
            Assert.StartsWith("451 4.3.0 ", second, StringComparison.Ordinal);
            Assert.StartsWith("451 4.3.0 ", third, StringComparison.Ordinal);
            Assert.Equal("failed", (await server.StatusAsync(ProcessTests.Stop)).GetProperty("queue").GetProperty("condition").GetString());
            await server.StopAsync();
        }

        await using var again = await home.ServeAsync();
        await using var next = await SmtpDialogue.GreetAsync(again["plain"]);
        await next.LogInAsync(PosternHome.User, PosternHome.Password);
        Assert.StartsWith("250", await next.SendAsync(PosternHome.User, "now@example.net", "Subject: now\r\n\r\nx\r\n"), StringComparison.Ordinal);
        var kept = await home.JsonAsync("queue", "list");
        Assert.Contains("kept@example.net", kept.ToString(), StringComparison.Ordinal);
        Assert.Contains("now@example.net", kept.ToString(), StringComparison.Ordinal);
    }
}
