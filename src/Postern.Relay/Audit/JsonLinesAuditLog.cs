using System.Buffers;
using System.Collections.Immutable;
using System.Numerics;
using System.Text.Json;
using System.Threading.Channels;
using Postern.Relay.Audit.Accounting;
using Postern.Relay.Audit.Events;
using Postern.Relay.Audit.Onward;

namespace Postern.Relay.Audit;

/// <summary>
/// The audit log as files of JSON lines, one a kind and UTC day (<see cref="AuditFileName"/>). Callers hand over to a bounded queue; one
/// task writes what has gathered in a fiftieth of a second, one system call a file, and another syncs once a second
/// (<see cref="AuditSync"/>). What clients cause is within <see cref="AuditBudget"/>. Others are given every event as it comes
/// (<see cref="IEventSink"/>); none of them waits for the files or for each other.
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

    private readonly TimeProvider clock;
    private readonly Channel<Item> queue;
    private readonly AuditBudget budget;
    private readonly PerKind<AuditFile> files;
    private readonly AcctLogFile accounting;
    private readonly ArrayBufferWriter<byte> line = new();
    private readonly Utf8JsonWriter json;
    private readonly AuditCopy? copy;
    private readonly LogForwarder syslog;
    private readonly LogForwarder journal;
    private readonly ImmutableArray<IEventSink> sinks;
    private readonly long[] reportedOfSinks;
    private readonly AuditSync sync;
    private readonly SemaphoreSlim hurry = new(initialCount: 0);
    private readonly Task writing;
    private readonly DeferralGroups deferrals = new();
    private readonly Action<AuditEvent> gatherDeferrals;
    private readonly List<TaskCompletionSource> flushed = [];
    private readonly List<TaskCompletionSource> safe = [];
    private readonly AuditRoom space;
    private volatile AuditLogOptions options;
    private DateTimeOffset sinksReportedAt;
    private string? syncTrouble;
    private bool canWrite = true;
    private bool isFull;
    private readonly long[] counts = new long[AuditKinds.Each.Length];
    private long dropped;
    private long reported;
    private long waiting;
    private long waitingOfStrangers;
    private TaskCompletionSource? room;

    /// <param name="sinks">Are given every event; not disposed.</param>
    public JsonLinesAuditLog(AuditLogOptions options, TimeProvider clock, params ReadOnlySpan<IEventSink> sinks)
    {
        this.options = options;
        this.clock = clock;
        queue = Channel.CreateUnbounded<Item>();
        space = new AuditRoom(options, clock);
        budget = new AuditBudget(options.Exempt, clock, counted => Enqueue(counted, cause: null));
        sync = new AuditSync(trouble => Volatile.Write(ref syncTrouble, trouble));
        files = new PerKind<AuditFile>(kind => new AuditFile(options.Directory, kind, sync));
        accounting = new AcctLogFile(options, sync, clock);
        json = new Utf8JsonWriter(line, AuditEvents.Options);
        copy = options.Copy is { } stream ? new AuditCopy(stream, clock) : null;
        syslog = new LogForwarder(SyslogTarget.Word, options.Directory, options.Syslog, clock, options.Forwarding);
        journal = new LogForwarder(JournalTarget.Word, options.Directory, options.Journal, clock, options.Forwarding);
        this.sinks = copy is null ? [.. sinks] : [copy, .. sinks];
        reportedOfSinks = new long[this.sinks.Length];
        sinksReportedAt = clock.GetUtcNow();
        gatherDeferrals = audit => Gather(audit, cause: null);
        writing = Task.Run(WriteAsync);
    }

    public AuditLogOptions Options => options;

    public bool WantsSubjects => options.WithSubjects;

    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Events of a kind that are in its files, since the start.</summary>
    public long Written(AuditKind kind) => Interlocked.Read(ref counts[BitOperations.TrailingZeroCount((int)kind)]);

    public void Append(AuditEvent audit)
    {
        var cause = audit.Cause is { Standing: AuditStanding.NotAsked } unasked ? Ask(unasked) : audit.Cause;
        if (cause is { Standing: AuditStanding.Repeat } repeat)
            OfferRepeat(repeat, audit);
        else
            Enqueue(audit, cause);
    }

    /// <summary>
    /// From now on the log is as <paramref name="changed"/> says: the next event goes to that directory, and what is too old or too much by
    /// it is deleted within seconds. <see cref="AuditLogOptions.Copy"/> stays what it was.
    /// </summary>
    public void Apply(AuditLogOptions changed)
    {
        options = changed;
        budget.Apply(changed.Exempt);
        queue.Writer.TryWrite(new Item { Changed = changed });
        hurry.Release();
    }

    public ValueTask<AuditCause> AskAsync(AuditCause cause, CancellationToken ct) =>
        cause.IsStranger && !HasRoomForStrangers ? AskLaterAsync(cause, ct) : new(AskFirst(cause));

    public async ValueTask SafeAsync(CancellationToken ct)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!queue.Writer.TryWrite(new Item { Safe = written }))
            await writing.WaitAsync(ct);
        else
            await written.Task.WaitAsync(ct);
    }

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await queue.Writer.WriteAsync(new Item { Written = written }, ct);
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
        foreach (var file in files.All)
            file.Dispose();
        await accounting.DisposeAsync();
        await Task.WhenAll(syslog.DisposeAsync().AsTask(), journal.DisposeAsync().AsTask());
        sync.Dispose();
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

        return AskFirst(cause);
    }

    /// <summary>Of an event that is not made if it is a repeat.</summary>
    private AuditCause AskFirst(AuditCause cause)
    {
        var answer = Ask(cause);
        if (answer.Standing == AuditStanding.Repeat)
            OfferRepeat(answer, audit: null);
        return answer;
    }

    private void OfferRepeat(AuditCause cause, AuditEvent? audit)
    {
        foreach (var sink in sinks)
            sink.OfferRepeat(cause, audit);
    }

    private void Offer(AuditEvent audit)
    {
        foreach (var sink in sinks)
            sink.Offer(audit);
    }

    private void Enqueue(AuditEvent audit, AuditCause? cause)
    {
        Offer(audit);
        var item = new Item { Audit = audit, Cause = cause, Weight = audit.Weight };
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
        ReportSinks();
        TellNewsOf(syslog);
        TellNewsOf(journal);
        var taken = 0;
        for (; taken < MostGathered && queue.Reader.TryRead(out var item); taken++)
        {
            if (item.Audit is { } audit)
                GatherInOrder(audit, item.Cause);
            Release(item);
            if (item.Written is { } waiter)
                flushed.Add(waiter);
            if (item.Safe is { } waiting)
                safe.Add(waiting);
            if (item.Changed is { } changed)
                Move(changed);
        }

        deferrals.WriteAll(gatherDeferrals);
        foreach (var file in files.All)
            Write(file);
        WriteAccounting();
        syslog.Wake();
        journal.Wake();
        foreach (var waiter in flushed)
            waiter.TrySetResult();
        flushed.Clear();
        foreach (var waiter in safe)
            sync.Tell(waiter);
        safe.Clear();
        if (Volatile.Read(ref room) is { } drained && HasRoomForStrangers)
        {
            Volatile.Write(ref room, null);
            drained.TrySetResult();
        }

        return taken;
    }

    /// <summary>How many events stand in the line of one.</summary>
    internal static int CountOf(AuditEvent audit) => audit is DeferralsEvent { Parts.Length: var parts } ? parts : 1;

    /// <summary>Deferrals gather; what is about one of their messages comes behind them.</summary>
    private void GatherInOrder(AuditEvent audit, AuditCause? cause)
    {
        if (cause is null && deferrals.TryTake(audit, gatherDeferrals))
            return;
        if (audit.Kind == AuditKind.Mail && deferrals.HasAny(audit.Traits.QueueId))
            deferrals.WriteAll(gatherDeferrals);
        Gather(audit, cause);
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

        if (isFull)
        {
            Interlocked.Add(ref dropped, CountOf(audit));
            return;
        }

        var file = files[audit.Kind];
        if (file.Day != day)
            Write(file);
        file.Add(day, audit, line.WrittenSpan);
        accounting.Add(audit);
    }

    /// <summary>A line of it that is lost is told like an event: the event itself is in its file.</summary>
    private void WriteAccounting()
    {
        if (accounting.Pending is var pending and > 0 && !accounting.Write())
            Interlocked.Add(ref dropped, pending);
    }

    private void Write(AuditFile file)
    {
        if (file.Pending is var pending and > 0)
        {
            canWrite = file.Write();
            if (canWrite)
                Interlocked.Add(ref counts[BitOperations.TrailingZeroCount((int)file.Kind)], pending);
            else
                Interlocked.Add(ref dropped, pending);
        }
    }

    private void Move(AuditLogOptions changed)
    {
        deferrals.WriteAll(gatherDeferrals);
        foreach (var file in files.All)
        {
            Write(file);
            file.MoveTo(changed.Directory);
        }

        WriteAccounting();
        accounting.Apply(changed);
        syslog.Apply(changed.Directory, changed.Syslog);
        journal.Apply(changed.Directory, changed.Journal);
        space.Apply(changed);
        isFull = false;
    }

    /// <summary>An event of the log itself: it is in no queue.</summary>
    private void Tell(string what, string detail)
    {
        var audit = new ServerEvent(clock.GetUtcNow(), what, detail);
        Offer(audit);
        Gather(audit, cause: null);
    }

    /// <summary>Whoever takes events beside the files and has lost some is told of, once a minute at most.</summary>
    private void ReportSinks()
    {
        var now = clock.GetUtcNow();
        if (now - sinksReportedAt < AuditBudget.Window)
            return;
        sinksReportedAt = now;
        for (var i = 0; i < sinks.Length; i++)
        {
            if (sinks[i].Lost - reportedOfSinks[i] is not (> 0 and var lost))
                continue;
            Tell("sink_lost", $"{sinks[i].Name}: {lost} events had no room there; the files have them");
            reportedOfSinks[i] = sinks[i].Lost; // it may have lost this one too
        }

        if (Interlocked.Exchange(ref syncTrouble, null) is { } trouble)
            Tell("log_sync", $"events may be lost when the power fails: {trouble}");
    }

    private void TellNewsOf(LogForwarder forwarder)
    {
        while (forwarder.TakeNews() is var (what, detail))
            Tell(what, detail);
    }

    /// <summary>A gap is itself an event, once the disk takes events again.</summary>
    private void ReportLoss()
    {
        if (!canWrite || isFull || Dropped == reported)
            return;
        var lost = Dropped - reported;
        reported += lost;
        Tell("audit-gap", $"{lost} events before this one could not be written");
    }

    private void LookForRoom()
    {
        var state = space.Look(out var told);
        if (told is not null)
        {
            if (state == AuditRoomState.Free)
                isFull = false;
            Tell(state == AuditRoomState.Free ? "log_room" : "log_no_room", told);
            foreach (var file in files.All)
                Write(file);
        }

        isFull = state == AuditRoomState.Full;
        foreach (var kind in AuditKinds.Each)
            budget.Stop(kind, state != AuditRoomState.Free || !space.HasShare(kind));
    }

    /// <summary>An event, or something to do when all before it is written.</summary>
    private readonly record struct Item
    {
        public AuditEvent? Audit { get; init; }

        public AuditCause? Cause { get; init; }

        public long Weight { get; init; }

        public TaskCompletionSource? Written { get; init; }

        public TaskCompletionSource? Safe { get; init; }

        public AuditLogOptions? Changed { get; init; }
    }
}
