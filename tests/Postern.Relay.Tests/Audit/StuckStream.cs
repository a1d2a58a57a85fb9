namespace Postern.Relay.Tests.Audit;

/// <summary>A stream whose reader has gone to sleep: writes wait until released.</summary>
internal sealed class StuckStream : MemoryStream
{
    private readonly TaskCompletionSource stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done once a write waits.</summary>
    public Task Stuck => stuck.Task;

    public void Release() => released.TrySetResult();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        stuck.TrySetResult();
        await released.Task.WaitAsync(cancellationToken);
    }
}
