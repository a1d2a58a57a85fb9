using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Runtime;

/// <summary>
/// Keeps the content of messages after the end of their delivery, where they have that, and removes it at its time, which is looked for at
/// the start too. Short of room, what is kept goes before the log stops, and that before mail is refused. Nothing is done, and nothing is
/// looked at, while nothing is kept.
/// </summary>
internal sealed class ContentKeeper : IContentKeeper, IAsyncDisposable
{
    /// <summary>The wall clock may be set, and the disk get full, at any moment.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(10);

    /// <summary>A file that cannot be deleted is tried again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly PriorityQueue<KeptMessage, DateTimeOffset> ends = new();
    private readonly KeptFolder folder;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly Func<long, long> reserveOf;
    private readonly Func<string, DiskSpace> spaceOf;
    private readonly Alarm alarm;
    private readonly Task reading;
    private long most;
    private long octets;
    private bool isClosed;

    /// <param name="reserveOf">From the octets of a file system those that the spool needs free on it.</param>
    /// <param name="spaceOf">What is left of a directory's file system; null to ask the system.</param>
    public ContentKeeper(
        KeptFolder folder,
        IAuditLog audit,
        TimeProvider clock,
        long most,
        Func<long, long> reserveOf,
        Func<string, DiskSpace>? spaceOf = null)
    {
        (this.folder, this.audit, this.clock, this.most, this.reserveOf) = (folder, audit, clock, most, reserveOf);
        this.spaceOf = spaceOf ?? Libc.Space;
        alarm = new Alarm(clock, Tend);
        reading = Task.Run(Read);
    }

    /// <summary>Messages that are kept, and the octets of their files, once what an earlier server left has been read.</summary>
    public (int Messages, long Octets) Count
    {
        get
        {
            lock (gate)
                return (ends.Count, octets);
        }
    }

    /// <summary>Done when what an earlier server left has been read, and what is over is removed.</summary>
    public Task WhenRead => reading;

    /// <param name="most">Octets of all that is kept.</param>
    public void Apply(long most)
    {
        lock (gate)
            this.most = most;
        Tend();
    }

    public async ValueTask KeepAsync(ISpool spool, IReadOnlyList<SpoolEntry> ended, CancellationToken ct)
    {
        await reading.WaitAsync(ct).ConfigureAwait(false);
        await writing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(isClosed, this);
            var kept = new List<KeptMessage>();
            foreach (var entry in ended)
            {
                if (await KeepAsync(spool, entry, ct).ConfigureAwait(false) is { } one)
                    kept.Add(one);
            }

            Settle(kept);
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await writing.WaitAsync().ConfigureAwait(false);
        lock (gate)
            isClosed = true;
        writing.Release();
        await alarm.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Null where it is not kept, or was before.</summary>
    private async ValueTask<KeptMessage?> KeepAsync(ISpool spool, SpoolEntry entry, CancellationToken ct)
    {
        var (id, now) = (entry.Envelope.Id, clock.GetUtcNow());
        if (entry.Envelope.KeepFor is not { } span || (entry.State.TriedAt ?? now) + span is var until && until <= now)
            return null;
        try
        {
            if (folder.Find(id, DateTimeOffset.MinValue) is not null)
                return null;
            if (WhyNoRoom(entry.Size) is { } why)
            {
                Tell(id, why);
                return null;
            }

            using var content = await spool.OpenEndedAsync(id, ct).ConfigureAwait(false);
            return content is null ? null : await folder.WriteAsync(entry, content, until, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Tell(id, e.Message);
            return null;
        }
    }

    /// <summary>Makes the names of new files durable, and counts them.</summary>
    private void Settle(List<KeptMessage> kept)
    {
        if (kept.Count == 0)
            return;
        foreach (var id in kept.Select(static one => one.Id).DistinctBy(KeptFolder.HourOf))
        {
            try
            {
                folder.Sync(id);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Tell("content-error", $"kept content may be lost in a power failure: {e.Message}");
            }
        }

        lock (gate)
        {
            foreach (var one in kept)
                Add(one);
        }

        Tend();
    }

    private void Read()
    {
        try
        {
            folder.TidyUp(clock.GetUtcNow());
            foreach (var kept in folder.All())
            {
                lock (gate)
                    Add(kept);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell("content-error", $"kept content cannot be read whole, and is not removed at its time before the next start: {e.Message}");
        }

        Tend();
    }

    /// <summary>With the gate held.</summary>
    private void Add(KeptMessage kept)
    {
        ends.Enqueue(kept, kept.Until);
        octets += kept.Octets;
    }

    /// <summary>Removes what is over, and more where there is no room.</summary>
    private void Tend()
    {
        lock (gate)
        {
            if (isClosed)
                return;
            var now = clock.GetUtcNow();
            while (ends.TryPeek(out _, out var until) && until <= now)
                RemoveFirst(now);
            MakeRoom(now);
            if (ends.TryPeek(out _, out var next))
                alarm.Set(next < now + LongestSleep ? next : now + LongestSleep);
        }
    }

    private void MakeRoom(DateTimeOffset now)
    {
        var (count, before) = (0, octets);
        var (excess, why) = Excess();
        while (before - octets < excess && ends.Count > 0 && RemoveFirst(now))
            count++;

        if (count > 0)
            Tell("content_given_up", string.Create(
                CultureInfo.InvariantCulture,
                $"the content of {count} messages, {before - octets} octets, is removed before its time: {why}"));
    }

    /// <summary>How many octets of what is kept are too many, and why.</summary>
    private (long Octets, string? Why) Excess()
    {
        if (ends.Count == 0)
            return default;
        if (octets > most)
            return (octets - most, string.Create(CultureInfo.InvariantCulture, $"keep.most is {most} octets"));
        return Shortage() is { } shortage ? (shortage.Octets, shortage.Why) : default;
    }

    /// <summary>What the disk lacks; null where it has enough, and where that cannot be seen.</summary>
    private (long Octets, string Why)? Shortage()
    {
        try
        {
            var space = spaceOf(Directory.Exists(folder.Path) ? folder.Path : Path.GetDirectoryName(folder.Path)!);
            // As long as the spool takes mail and the log all events.
            var wanted = reserveOf(space.Total) * 5 / 2;
            return space.Free >= wanted
                ? null
                : (wanted - space.Free, string.Create(
                    CultureInfo.InvariantCulture, $"{space.Free >> 20} MiB are free, and mail and the log need {wanted >> 20} MiB"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string? WhyNoRoom(long size)
    {
        lock (gate)
        {
            if (size > most)
                return string.Create(CultureInfo.InvariantCulture, $"{size} octets are more than keep.most, {most}");
        }

        return Shortage()?.Why;
    }

    /// <summary>With the gate held: the one whose time ends first. False where that cannot be done now.</summary>
    private bool RemoveFirst(DateTimeOffset now)
    {
        var kept = ends.Dequeue();
        try
        {
            folder.Remove(kept);
            octets -= kept.Octets;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ends.Enqueue(kept, now + Patience);
            Tell("content-error", $"the content of {kept.Id} should be removed now, and cannot: {e.Message}");
            return false;
        }
    }

    private void Tell(QueueId id, string why) =>
        audit.Append(new ServerEvent(clock.GetUtcNow(), "content_not_kept", $"{id}: the content is not kept: {why}")
        {
            QueueId = id.ToString(),
        });

    private void Tell(string what, string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));
}
