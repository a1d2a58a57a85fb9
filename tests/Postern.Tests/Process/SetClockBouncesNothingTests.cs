using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>A clock that is set ten years forward under a running server, by libfaketime: it is told, nothing bounces, and the message goes.</summary>
[Collection(nameof(ProcessTests))]
public sealed class SetClockBouncesNothingTests
{
    [Fact]
    public async Task Ten_years_forward_are_told_and_bounce_nothing_before_an_attempt()
    {
        var library = Directory.Exists("/usr/lib") ? Directory.EnumerateFiles("/usr/lib", "libfaketimeMT.so.1", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true }).FirstOrDefault() : null;
        Assert.SkipWhen(library is null, "libfaketime is not installed");
        var (attempts, offset) = (0, string.Empty);
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, _, _) =>
            {
                if (phase != SinkPhase.Rcpt || Interlocked.Increment(ref attempts) > 1)
                    return null;
                // In the middle of the first attempt, which then began under another time than it ends.
                File.WriteAllText(offset, "+3650d\n");
                return new SinkAction.Reply("451 4.3.0 Later, for a test");
            },
        });
        using var home = await ProcessTests.HomeAsync(sink.Port);
        offset = Path.Combine(home.Root, "offset");
        await File.WriteAllTextAsync(offset, "+0\n", ProcessTests.Stop);
        await using var server = await home.ServeAsync(environment: new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library!,
            ["FAKETIME_TIMESTAMP_FILE"] = offset,
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["DONT_FAKE_MONOTONIC"] = "1",
        });
        await using (var dialogue = await SmtpDialogue.GreetAsync(server["plain"]))
        {
            await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
            Assert.StartsWith("250", await dialogue.SendAsync(PosternHome.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
        }

        await server.Output.FindAsync(static line => line.Contains("clock_jumped", StringComparison.Ordinal) && line.Contains("forward", StringComparison.Ordinal));
        var message = await sink.NextMessageAsync();
        await server.DrainAsync(ProcessTests.Stop);

        Assert.Equal(["bart@example.net"], message.Recipients);
        Assert.DoesNotContain(server.Output.Lines, static line => line.Contains("bounce", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(0, await server.StopAsync());
    }
}
