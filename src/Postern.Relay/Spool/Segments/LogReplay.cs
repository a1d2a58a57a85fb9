using System.Buffers.Binary;
using System.Text.Json;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Segments;

/// <summary>Rebuilds the index from the log when the spool is opened. The log is replayed in the order in which it was written.</summary>
internal sealed class LogReplay(SpoolDirectory directory, SegmentStore store, SpoolIndex index, TimeProvider clock)
{
    private readonly Quarantine quarantine = new(directory, store.Files);
    private readonly ReplayWords words = new();
    private readonly LogWindow window = new(store.Files);
    private readonly List<SpoolDamage> damage = [];
    private readonly List<SpoolDamage> tails = [];
    private readonly Dictionary<(ulong Segment, long Offset), RecordLocation> chunks = [];

    // Messages whose chunks are gone. That is damage only if no later record says that they were copied elsewhere or removed.
    private readonly Dictionary<QueueId, (StoredMessage Message, string Reason)> incomplete = [];
    private int segmentCount;

    public SpoolRecovery Report { get; private set; } = new(0, 0, [], [], TimeSpan.Zero);

    /// <summary>The arrival number of the next message.</summary>
    public ulong NextOrder { get; private set; } = 1;

    /// <exception cref="SpoolUnavailableException">A segment is not ours to touch.</exception>
    public void Run()
    {
        var begun = clock.GetTimestamp();
        var found = store.FindFiles();
        lock (index.Gate)
        {
            for (var i = 0; i < found.Count; i++)
            {
                store.NextId = found[i].Id + 1;
                Read(found[i].Id, found[i].Path, isLast: i == found.Count - 1);
            }

            foreach (var (message, reason) in incomplete.Values)
                Note(damage, message.Location.Record.Segment, message.Location.Record.Offset, message.Location.Record.Stride, reason, message.Id);
            index.SortByArrival();
            Report = new SpoolRecovery(segmentCount, index.Count, [.. damage], [.. tails], clock.GetElapsedTime(begun));
        }
    }

    private void Read(ulong id, string path, bool isLast)
    {
        if (new FileInfo(path).LinkTarget is { } target)
            throw new SpoolUnavailableException($"The segment {path} is a symbolic link to {target}. Put the file itself there, or take the link away.");
        var file = store.Files.Open(path);
        window.Open(file);
        if (ReadHeader(id, path, isLast) is not { } header)
        {
            Reject(path, isLast);
            file.Dispose();
            return;
        }

        segmentCount++;
        var segment = new Segment(id, header.Stamp, path, file, window.Length);
        index.Segments.Add(segment);
        var scanner = new SegmentScanner(window);
        scanner.Scan(
            header.Stamp,
            (in RecordHeader record, long offset, ReadOnlySpan<byte> payload) => Apply(segment, record, offset, payload),
            (offset, length, reason) => Note(damage, segment, offset, length, reason));
        segment.End = scanner.End;
        if (scanner.Tail is { } tail)
            Note(isLast ? tails : damage, segment, tail.Offset, tail.Length, tail.Reason);
        if (isLast && !segment.MustStay)
        {
            store.Files.Truncate(file, segment.End);
            store.Files.Sync(file);
            segment.Size = segment.End;
        }
    }

    /// <summary>Null when neither copy of the header is sound.</summary>
    private SegmentHeader? ReadHeader(ulong id, string path, bool isLast)
    {
        SegmentHeader? sound = null;
        SpoolDamage? broken = null;
        for (var copy = 0; copy < SegmentHeader.Copies; copy++)
        {
            var at = copy * SegmentHeader.CopySize;
            if (SegmentHeader.Read(window.At(at, SegmentHeader.CopySize)) is { } header && header.Id == id)
                sound ??= header;
            else
                broken = new SpoolDamage(path, at, SegmentHeader.CopySize, "one copy of the segment header was damaged; the other is sound", Message: null, SavedAs: null);
        }

        if (sound is { Version: not SegmentHeader.CurrentVersion and var version })
            throw new SpoolUnavailableException($"The segment {path} has format {version}; this version reads format {SegmentHeader.CurrentVersion}. Start the version that wrote it.");
        if (sound is not null && broken is not null)
            (isLast && window.Length < SegmentHeader.Size ? tails : damage).Add(broken);
        return sound;
    }

    /// <summary>A file without a header: one that was being made when the power went, or one that lost it.</summary>
    private void Reject(string path, bool isLast)
    {
        var isUnused = true;
        for (long at = 0; at < window.Length && isUnused;)
        {
            var octets = window.From(at, 1);
            isUnused = !octets.ContainsAnyExcept((byte)0);
            at += octets.Length;
        }

        if (isUnused)
        {
            store.Files.Delete(path);
            return;
        }

        var list = isLast && window.Length < SegmentHeader.Size ? tails : damage;
        list.Add(new SpoolDamage(path, Offset: 0, window.Length, "the segment header is damaged", Message: null, quarantine.Take(path)));
    }

    private void Note(List<SpoolDamage> list, Segment segment, long offset, long length, string reason, QueueId? message = null)
    {
        if (window.Trouble is { } trouble)
            reason = $"{reason} ({trouble})";
        var saved = quarantine.Save(segment, offset, length);
        segment.MustStay |= saved is null;
        list.Add(new SpoolDamage(segment.Path, offset, length, reason, message, saved));
    }

    private void Apply(Segment segment, in RecordHeader header, long offset, ReadOnlySpan<byte> payload)
    {
        var location = new RecordLocation(segment, offset, header.Length, header.PayloadCrc);
        switch (header.Kind)
        {
            case RecordKind.Chunk:
                chunks[(segment.Id, offset)] = location;
                break;
            case RecordKind.Message:
                NextOrder = Math.Max(NextOrder, header.Order + 1);
                if (AddMessage(location, header.Order, payload, out var id) is { } reason)
                    Note(damage, segment, offset, location.Stride, reason, id);
                break;
            case RecordKind.State:
                if (SetState(location, payload) is { } fault)
                    Note(damage, segment, offset, location.Stride, fault);
                break;
            case RecordKind.Removed:
                Remove(segment, payload);
                break;
            default:
                Note(damage, segment, offset, location.Stride, $"records of kind {(byte)header.Kind} are unknown");
                break;
        }
    }

    /// <summary>Null when all is well, else why not.</summary>
    private string? AddMessage(RecordLocation location, ulong order, ReadOnlySpan<byte> payload, out QueueId? id)
    {
        id = null;
        if (!MessagePayload.TryRead(payload, out var message))
            return "the lengths in the message record do not add up";
        id = message.Id;
        if (FindChunks(message, payload) is not { } pieces)
        {
            var remains = new StoredMessage(message.Id, order, entry: null, new MessageLocation(location, message.Inline, []));
            incomplete[message.Id] = (remains, "a part of the content is missing or damaged");
            return null;
        }

        try
        {
            var size = message.Inline + pieces.Sum(static piece => (long)piece.Length);
            var envelope = message.Envelope(payload);
            // Not damage: it would be set aside, and taken for dead. Whoever wrote it can read it.
            if (envelope.V > StoredEnvelope.CurrentVersion)
                throw new SpoolUnavailableException($"The segment {location.Segment.Path} holds an envelope of version {envelope.V}; this version reads {StoredEnvelope.CurrentVersion}. Start the version that wrote it.");
            var entry = envelope.ToEntry(message.Id, size, words);
            var stored = new StoredMessage(message.Id, order, entry, new MessageLocation(location, message.Inline, pieces));
            index.Add(stored);
            if (incomplete.Remove(message.Id, out var older))
                SpoolIndex.Remember(stored, older.Message.Location.Record.Segment);
            return null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return $"the envelope cannot be read: {e.Message}";
        }
    }

    private RecordLocation[]? FindChunks(MessagePayload message, ReadOnlySpan<byte> payload)
    {
        var pieces = message.Chunks == 0 ? [] : new RecordLocation[message.Chunks];
        for (var i = 0; i < pieces.Length; i++)
        {
            var wanted = message.Chunk(payload, i);
            if (!chunks.TryGetValue((wanted.Segment, wanted.Offset), out pieces[i]) || pieces[i].Length != wanted.Length || pieces[i].Crc != wanted.Crc)
                return null;
        }

        return pieces;
    }

    private string? SetState(RecordLocation location, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < StateRecord.IdSize)
            return "the state record is too short";
        if (!index.TryFind(new QueueId(BinaryPrimitives.ReadUInt128LittleEndian(payload)), out var message))
            return null;                        // removed, or its record is damaged and listed
        try
        {
            var state = JsonSerializer.Deserialize(payload[StateRecord.IdSize..], SpoolJson.Default.StoredState)
                ?? throw new JsonException("null is not a state");
            index.SetState(message, state.ToState(message.Entry!.Envelope.Recipients.Length), location);
            return null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return $"the state cannot be read: {e.Message}";
        }
    }

    private void Remove(Segment segment, ReadOnlySpan<byte> payload)
    {
        for (; payload.Length >= StateRecord.IdSize; payload = payload[StateRecord.IdSize..])
        {
            var id = new QueueId(BinaryPrimitives.ReadUInt128LittleEndian(payload));
            if (index.Remove(id) is { } message)
                segment.Removals.Add(message);
            else if (incomplete.Remove(id, out var remains))
                segment.Removals.Add(remains.Message);
        }
    }
}
