using System.Threading.Channels;

namespace Postern.Relay.Audit;

/// <summary>Copies written lines to a stream on a task of its own: a terminal that is stopped must not stop the files.</summary>
internal sealed class AuditCopy : IAsyncDisposable
{
    private const int MostWaiting = 256;

    /// <summary>How long the end of the server waits for the stream's reader.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Channel<byte[]> waiting = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostWaiting) { SingleReader = true, SingleWriter = true });
    private readonly Stream stream;
    private readonly TimeProvider clock;
    private readonly Task writing;

    public AuditCopy(Stream stream, TimeProvider clock)
    {
        this.stream = stream;
        this.clock = clock;
        writing = Task.Run(WriteAsync);
    }

    /// <summary>Lost when too much waits already.</summary>
    public void Offer(ReadOnlySpan<byte> lines)
    {
        if (!lines.IsEmpty)
            waiting.Writer.TryWrite(lines.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await Task.WhenAny(writing, Task.Delay(Patience, clock));
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var lines in waiting.Reader.ReadAllAsync())
            {
                await stream.WriteAsync(lines);
                await stream.FlushAsync();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The reader is gone; the files have it all.
            waiting.Writer.TryComplete();
        }
    }
}
