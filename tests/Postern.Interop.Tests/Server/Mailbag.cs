using Postern.Testing.Sinks;

namespace Postern.Interop.Tests.Server;

/// <summary>Hands each message that a sink takes to the test that waits for its recipient.</summary>
internal sealed class Mailbag
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly Dictionary<string, TaskCompletionSource<SinkMessage>> arrivals = [];

    /// <summary>Empties the sink into the bag until <paramref name="ct"/> is cancelled.</summary>
    public async Task CollectAsync(ScriptedSink sink, CancellationToken ct)
    {
        try
        {
            await foreach (var message in sink.MessagesAsync(ct))
                Arrival(message.Recipients[0]).TrySetResult(message);
        }
        catch (OperationCanceledException)
        {
        }
    }

    public Task<SinkMessage> MessageForAsync(string recipient) => Arrival(recipient).Task.WaitAsync(Patience);

    private TaskCompletionSource<SinkMessage> Arrival(string recipient)
    {
        lock (gate)
        {
            if (!arrivals.TryGetValue(recipient, out var arrival))
                arrivals[recipient] = arrival = new TaskCompletionSource<SinkMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
            return arrival;
        }
    }
}
