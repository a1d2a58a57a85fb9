using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using System.Threading.Channels;

namespace Postern.Relay.Audit;

/// <summary>
/// The audit log as files of JSON lines, one a kind and UTC day (<see cref="AuditFileName"/>). Callers hand over to a bounded queue; one
/// task writes what has gathered in a fiftieth of a second, one system call a file. Nothing is synced: a kill may take the last events,
/// a power loss the last seconds, never a message.
/// </summary>
public sealed class JsonLinesAuditLog : IAuditLog
{
    /// <summary>Events gathered before they are written, so that memory stays bounded under a flood.</summary>
    private const int MostGathered = 1_024;

    /// <summary>
    /// How long events gather. Waking a task of the pool for each of them cost 90 µs of CPU, half of what a whole message
    /// may cost. Real time, whatever the clock says: it only spreads the work.
    /// </summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    private readonly AuditLogOptions options;
    private readonly TimeProvider clock;
    private readonly Channel<Item> queue;
    private readonly FrozenDictionary<AuditKind, AuditFile> files;
    private readonly ArrayBufferWriter<byte> line = new();
    private readonly ArrayBufferWriter<byte> copied = new();
    private readonly Utf8JsonWriter json;
    private readonly AuditCopy? copy;
    private readonly SemaphoreSlim hurry = new(initialCount: 0);
    private readonly Task writing;
    private readonly List<TaskCompletionSource> flushed = [];
    private DateOnly prunedOn;
    private bool canWrite = true;
    private long dropped;
    private long reported;

    public JsonLinesAuditLog(AuditLogOptions options, TimeProvider clock)
    {
        this.options = options;
        this.clock = clock;
        queue = Channel.CreateBounded<Item>(new BoundedChannelOptions(options.QueueLength) { SingleReader = true });
        files = AuditKinds.Each.ToFrozenDictionary(static kind => kind, kind => new AuditFile(options.Directory, kind));
        json = new Utf8JsonWriter(line, AuditEventWriter.Options);
        copy = options.Copy is { } stream ? new AuditCopy(stream, clock) : null;
        writing = Task.Run(WriteAsync);
    }

    public long Dropped => Interlocked.Read(ref dropped);

    public void Append(AuditEvent audit)
    {
        if (!queue.Writer.TryWrite(new Item(audit, Written: null)))
            Interlocked.Increment(ref dropped);
    }

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await queue.Writer.WriteAsync(new Item(Audit: null, written), ct);
        }
        catch (ChannelClosedException)
        {
            await writing.WaitAsync(ct);
            return;
        }

        hurry.Release();
        await written.Task.WaitAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        hurry.Release();
        await writing;
        foreach (var file in files.Values)
            file.Dispose();
        await json.DisposeAsync();
        if (copy is not null)
            await copy.DisposeAsync();
    }

    private async Task WriteAsync()
    {
        while (await queue.Reader.WaitToReadAsync())
        {
            do
            {
                if (queue.Reader.Count < MostGathered)
                    await hurry.WaitAsync(Gathering);
            }
            while (WriteGathered() > 0 && !queue.Reader.Completion.IsCompleted);
        }
    }

    /// <summary>The number of items taken from the queue.</summary>
    private int WriteGathered()
    {
        Prune();
        ReportLoss();
        var taken = 0;
        for (; taken < MostGathered && queue.Reader.TryRead(out var item); taken++)
        {
            if (item.Audit is { } audit)
                Gather(audit);
            if (item.Written is { } waiter)
                flushed.Add(waiter);
        }

        foreach (var file in files.Values)
            Write(file);
        copy?.Offer(copied.WrittenSpan);
        copied.ResetWrittenCount();
        foreach (var waiter in flushed)
            waiter.TrySetResult();
        flushed.Clear();
        return taken;
    }

    private void Gather(AuditEvent audit)
    {
        line.ResetWrittenCount();
        json.Reset();
        AuditEventWriter.Write(json, audit);
        json.Flush();
        line.Write("\n"u8);
        var day = AuditFileName.DayOf(audit.At);
        var file = files[AuditKinds.Of(audit)];
        if (file.Day != day)
            Write(file);
        file.Add(day, line.WrittenSpan);
        if (copy is not null)
            copied.Write(line.WrittenSpan);
    }

    private void Write(AuditFile file)
    {
        if (file.Pending is var pending and > 0)
        {
            canWrite = file.Write();
            if (!canWrite)
                Interlocked.Add(ref dropped, pending);
        }
    }

    /// <summary>A gap is itself an event, once the disk takes events again.</summary>
    private void ReportLoss()
    {
        if (!canWrite || Dropped == reported)
            return;
        var lost = Dropped - reported;
        reported += lost;
        Gather(new AuditEvent.Server(clock.GetUtcNow(), "audit-gap", $"{lost} events before this one could not be written"));
    }

    private void Prune()
    {
        var today = AuditFileName.DayOf(clock.GetUtcNow());
        if (today == prunedOn)
            return;
        prunedOn = today;
        try
        {
            foreach (var name in AuditFileName.List(options.Directory).Where(name => name.Day < today.AddDays(-options.KeepDays)))
                File.Delete(Path.Join(options.Directory, name.ToString()));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left stays until tomorrow's look.
        }
    }

    private readonly record struct Item(AuditEvent? Audit, TaskCompletionSource? Written);
}
