using System.Globalization;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>The kernel's errors at accept and connect, as the runtime hands them on: put in by strace(1), since it changes their numbers.</summary>
[Collection(nameof(ProcessTests))]
public sealed class ErrorsOfTheKernelTests
{
    [Theory]
    [InlineData("ENFILE", true)]
    [InlineData("ENOMEM", true)]
    [InlineData("ENOBUFS", true)]
    [InlineData("EAFNOSUPPORT", false)]
    [InlineData("ENETUNREACH", false)]
    public async Task A_connect_that_fails_for_what_this_machine_lacks_defers_and_the_message_goes_later(string error, bool isShortage)
    {
        await Tracer.SkipUnlessAvailableAsync();
        await using var sink = new ScriptedSink(new SinkOptions());
        using var home = await ProcessTests.HomeAsync(sink.Port);
        await using var server = await home.ServeAsync(Inject("connect", error, times: 1));
        await using (var dialogue = await SmtpDialogue.GreetAsync(server["plain"]))
        {
            await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
            Assert.StartsWith("250", await dialogue.SendAsync(PosternHome.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
        }

        // By itself it would go at its own hour, or when somebody is seen to answer; and the first connection of any other thread fails, too.
        var arrival = sink.NextMessageAsync();
        while (!arrival.IsCompleted)
        {
            await home.RunAsync("queue", "retry", "--all", "--yes");
            await Task.WhenAny(arrival, Task.Delay(TimeSpan.FromSeconds(1)));
        }

        await arrival;
        await server.DrainAsync(ProcessTests.Stop);

        var deferred = server.Output.Lines.Where(static line => line.Contains("\"deferred\"", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(deferred);
        Assert.All(deferred, line => Assert.Contains(isShortage ? "not tried, as this server ran short" : "connect: ", line, StringComparison.Ordinal));
        Assert.Equal(isShortage, server.Output.Lines.Any(static line => line.Contains("own_shortage", StringComparison.Ordinal)));
        Assert.DoesNotContain(server.Output.Lines, static line => line.Contains("delivery-error", StringComparison.Ordinal));
        Assert.Equal(0, await server.StopAsync());
    }

    [Theory]
    [InlineData("ENFILE")]
    [InlineData("ENOMEM")]
    public async Task An_accept_that_fails_for_what_this_machine_lacks_is_tried_again_and_told_once(string error)
    {
        await Tracer.SkipUnlessAvailableAsync();
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync(Inject("accept4", error, times: 3));

        await using (var dialogue = await SmtpDialogue.GreetAsync(server["plain"]))
            await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);

        // Each of the three listeners once.
        Assert.InRange(server.Output.Lines.Count(static line => line.Contains("nobody is accepted until there is enough again", StringComparison.Ordinal)), 1, 3);
        Assert.Equal(0, await server.StopAsync());
    }

    /// <summary>strace counts for each thread: the first calls of each fail.</summary>
    private static IReadOnlyList<string> Inject(string call, string error, int times) =>
        ["strace", "-f", "-o", "/dev/null", "-e", $"trace={call}", "-e", string.Create(CultureInfo.InvariantCulture, $"inject={call}:error={error}:when=1..{times}")];
}
