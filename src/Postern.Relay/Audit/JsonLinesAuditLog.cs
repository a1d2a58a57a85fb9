using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using System.Threading.Channels;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// The audit log as files of JSON lines, one a kind and UTC day (<see cref="AuditFileName"/>). Callers hand over to a bounded queue; one
/// task writes what has gathered in a fiftieth of a second, one system call a file. Nothing is synced: a kill may take the last events,
/// a power loss the last seconds, never a message. What clients cause is within <see cref="AuditBudget"/>.
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

    /// <summary>How long a stranger is kept waiting for the disk.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly AuditLogOptions options;
    private readonly TimeProvider clock;
    private readonly Channel<Item> queue;
    private readonly AuditBudget budget;
    private readonly FrozenDictionary<AuditKind, AuditFile> files;
    private readonly ArrayBufferWriter<byte> line = new();
    private readonly ArrayBufferWriter<byte> copied = new();
    private readonly Utf8JsonWriter json;
    private readonly AuditCopy? copy;
    private readonly SemaphoreSlim hurry = new(initialCount: 0);
    private readonly Task writing;
    private readonly List<TaskCompletionSource> flushed = [];
    private readonly AuditRoom space;
    private bool canWrite = true;
    private bool isFull;
    private long dropped;
    private long reported;
    private long waiting;
    private long waitingOfStrangers;
    private TaskCompletionSource? room;

    public JsonLinesAuditLog(AuditLogOptions options, TimeProvider clock)
    {
        this.options = options;
        this.clock = clock;
        queue = Channel.CreateUnbounded<Item>();
        space = new AuditRoom(options, clock);
        budget = new AuditBudget(options.Exempt, clock, counted => Enqueue(counted, cause: null));
        files = AuditKinds.Each.ToFrozenDictionary(static kind => kind, kind => new AuditFile(options.Directory, kind));
        json = new Utf8JsonWriter(line, AuditEvents.Options);
        copy = options.Copy is { } stream ? new AuditCopy(stream, clock) : null;
        writing = Task.Run(WriteAsync);
    }

    public bool WantsSubjects => options.WithSubjects;

    public long Dropped => Interlocked.Read(ref dropped);

    public void Append(AuditEvent audit)
    {
        var cause = audit.Cause is { Standing: AuditStanding.NotAsked } unasked ? Ask(unasked) : audit.Cause;
        if (cause is not { Standing: AuditStanding.Repeat })
            Enqueue(audit, cause);
    }

    public ValueTask<AuditCause> AskAsync(AuditCause cause, CancellationToken ct) =>
        cause.IsStranger && !HasRoomForStrangers ? AskLaterAsync(cause, ct) : new(Ask(cause));

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await queue.Writer.WriteAsync(new Item(Audit: null, Cause: null, Weight: 0, written), ct);
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
        budget.Dispose();
        budget.TellAll();
        queue.Writer.TryComplete();
        hurry.Release();
        await writing;
        foreach (var file in files.Values)
            file.Dispose();
        await json.DisposeAsync();
        if (copy is not null)
            await copy.DisposeAsync();
    }

    private bool HasRoomForStrangers => Interlocked.Read(ref waitingOfStrangers) < options.QueueOctets / 2;

    private AuditCause Ask(AuditCause cause) => budget.Ask(cause, canWrite: !cause.IsStranger || HasRoomForStrangers);

    private async ValueTask<AuditCause> AskLaterAsync(AuditCause cause, CancellationToken ct)
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        drained = Interlocked.CompareExchange(ref room, drained, comparand: null) ?? drained;
        if (!HasRoomForStrangers)
        {
            try
            {
                await drained.Task.WaitAsync(Patience, clock, ct);
            }
            catch (TimeoutException)
            {
                // The disk takes nothing; the event will be counted.
            }
        }

        return Ask(cause);
    }

    private void Enqueue(AuditEvent audit, AuditCause? cause)
    {
        var item = new Item(audit, cause, audit.Weight, Written: null);
        var isIn = Hold(item) <= options.QueueOctets && queue.Writer.TryWrite(item);
        if (isIn)
            return;
        Release(item);
        Interlocked.Increment(ref dropped);
    }

    /// <summary>The weight of all that waits now.</summary>
    private long Hold(in Item item)
    {
        if (item.Cause is { IsStranger: true })
            Interlocked.Add(ref waitingOfStrangers, item.Weight);
        return Interlocked.Add(ref waiting, item.Weight);
    }

    private void Release(in Item item)
    {
        if (item.Cause is { IsStranger: true })
            Interlocked.Add(ref waitingOfStrangers, -item.Weight);
        Interlocked.Add(ref waiting, -item.Weight);
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
        LookForRoom();
        ReportLoss();
        var taken = 0;
        for (; taken < MostGathered && queue.Reader.TryRead(out var item); taken++)
        {
            if (item.Audit is { } audit)
                Gather(audit, item.Cause);
            Release(item);
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
        if (Volatile.Read(ref room) is { } drained && HasRoomForStrangers)
        {
            Volatile.Write(ref room, null);
            drained.TrySetResult();
        }

        return taken;
    }

    private void Gather(AuditEvent audit, AuditCause? cause)
    {
        line.ResetWrittenCount();
        json.Reset();
        AuditEvents.Write(json, audit);
        json.Flush();
        line.Write("\n"u8);
        var day = AuditFileName.DayOf(audit.At);
        if (cause is { } client)
        {
            budget.Settle(client, line.WrittenCount);
            if (client is { IsStranger: true, IsMessage: false })
                space.Note(client.Kind, day, line.WrittenCount);
        }

        if (copy is not null)
            copied.Write(line.WrittenSpan);
        if (isFull)
        {
            Interlocked.Increment(ref dropped);
            return;
        }

        var file = files[audit.Kind];
        if (file.Day != day)
            Write(file);
        file.Add(day, line.WrittenSpan);
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
        if (!canWrite || isFull || Dropped == reported)
            return;
        var lost = Dropped - reported;
        reported += lost;
        Gather(new ServerEvent(clock.GetUtcNow(), "audit-gap", $"{lost} events before this one could not be written"), cause: null);
    }

    private void LookForRoom()
    {
        var state = space.Look(out var told);
        if (told is not null)
        {
            if (state == AuditRoomState.Free)
                isFull = false;
            Gather(new ServerEvent(clock.GetUtcNow(), state == AuditRoomState.Free ? "log_room" : "log_no_room", told), cause: null);
            foreach (var file in files.Values)
                Write(file);
        }

        isFull = state == AuditRoomState.Full;
        foreach (var kind in AuditKinds.Each)
            budget.Stop(kind, state != AuditRoomState.Free || !space.HasShare(kind));
    }

    private readonly record struct Item(AuditEvent? Audit, AuditCause? Cause, long Weight, TaskCompletionSource? Written);
}
