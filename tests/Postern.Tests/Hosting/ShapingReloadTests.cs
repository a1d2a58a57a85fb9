using Postern.Testing.Sinks;

namespace Postern.Tests.Hosting;

/// <summary>A running server and its shaping file, which changes under it.</summary>
public sealed class ShapingReloadTests : IAsyncDisposable
{
    private readonly LiveServer server = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private Task ShapeAsync(string text) => File.WriteAllTextAsync(Path.Combine(server.Run.Root, "shaping.yaml"), text, Cancelled);

    [Fact]
    public async Task A_changed_shaping_file_counts_by_itself_for_what_waits_and_a_broken_one_changes_nothing_and_says_so()
    {
        await using var sink = new ScriptedSink();
        await ShapeAsync("default: { messages: 1/1d }\n");
        await server.StartAsync(LiveServer.Listeners + $"delivery: {{ shaping: shaping.yaml, routes: [{{ to: '*', via: 'smtp://127.0.0.1:{sink.Port}' }}] }}\n");
        await using (var session = await server.ConnectAsync())
        {
            await session.LogInAsync(LiveServer.User, LiveServer.Password);
            for (var i = 0; i < 5; i++)
            {
                await session.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
                await session.SayAsync("RCPT TO:<b@there.test>", "250");
                await session.SayAsync("DATA", "354");
                await session.SayAsync("Subject: x\r\n\r\nx\r\n.", "250");
            }
        }

        await server.UntilAsync(() => sink.Messages.Count == 1 && server.Host.Status().Deliveries.Waits is [{ Why: { } why }] && why.Contains("shaping.yaml:1", StringComparison.Ordinal));
        var explained = await server.Run.PosternAsync("shaping", "explain", "there.test");
        Assert.Contains("messages 1/1d for destination", explained.Output, StringComparison.Ordinal);
        Assert.Contains("transactions wait:", explained.Output, StringComparison.Ordinal);

        await ShapeAsync("default: { messages: soon }\n");
        await server.UntilAsync(() => server.Host.Status().Configuration!.Problems.Any(static p => p.Contains("shaping.yaml:1:22: default.messages: 'soon' is not right here", StringComparison.Ordinal)));
        Assert.Single(sink.Messages);

        await ShapeAsync("default: { messages: 1000/s }\n");
        await server.UntilAsync(() => sink.Messages.Count == 5);
        Assert.Empty(server.Host.Status().Configuration!.Problems);
    }
}
