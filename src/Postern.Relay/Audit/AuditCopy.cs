using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>Copies events to a stream on a task of its own: a terminal that is stopped must not stop the files.</summary>
internal sealed class AuditCopy : IEventSink, IAsyncDisposable
{
    private const int MostWaiting = 8_192;

    /// <summary>How long events gather; real time, as it only spreads the work.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    /// <summary>Octets that are written at once.</summary>
    private const int MostAtOnce = 256 * 1024;

    /// <summary>How long the end of the server waits for the stream's reader.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Channel<AuditEvent> waiting = Channel.CreateBounded<AuditEvent>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly Stream stream;
    private readonly TimeProvider clock;
    private readonly Task writing;
    private long lost;

    public AuditCopy(Stream stream, TimeProvider clock)
    {
        this.stream = stream;
        this.clock = clock;
        writing = Task.Run(WriteAsync);
    }

    public string Name => "copy";

    public long Lost => Interlocked.Read(ref lost);

    public void Offer(AuditEvent audit)
    {
        if (!waiting.Writer.TryWrite(audit))
            Interlocked.Increment(ref lost);
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await Task.WhenAny(writing, Task.Delay(Patience, clock));
    }

    private async Task WriteAsync()
    {
        var lines = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(lines, AuditEvents.Options);
        try
        {
            while (await waiting.Reader.WaitToReadAsync())
            {
                // As with the files: waking for each event would cost more than the event. At the end nothing more gathers.
                await Task.WhenAny(Task.Delay(Gathering), waiting.Reader.Completion);
                while (lines.WrittenCount < MostAtOnce && waiting.Reader.TryRead(out var audit))
                {
                    json.Reset();
                    AuditEvents.Write(json, audit);
                    await json.FlushAsync();
                    lines.Write("\n"u8);
                }

                await stream.WriteAsync(lines.WrittenMemory);
                await stream.FlushAsync();
                lines.ResetWrittenCount();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The reader is gone; the files have it all.
            waiting.Writer.TryComplete();
        }
    }
}
