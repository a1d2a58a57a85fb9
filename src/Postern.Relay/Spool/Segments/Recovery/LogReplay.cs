using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Recovery;

/// <summary>Rebuilds the index from the log when the spool is opened. The log is replayed in the order in which it was written.</summary>
internal sealed class LogReplay(SpoolDirectory directory, SegmentStore store, SpoolIndex index, TimeProvider clock)
{
    private readonly RecoveryFindings findings = new(store, new Quarantine(directory, store.Files));
    private readonly ReplayWords words = new();
    private readonly LogWindow window = new(store.Files);
    private readonly Dictionary<(ulong Segment, long Offset), RecordLocation> chunks = [];

    // Messages whose chunks are gone. That is damage only if no later record says that they were copied elsewhere or removed.
    private readonly Dictionary<QueueId, (StoredMessage Message, string Reason)> incomplete = [];
    private readonly List<(Segment Segment, SegmentHeader? Header)> segments = [];
    private readonly List<Segment> unused = [];

    // What the headers say of the segments before.
    private readonly Dictionary<ulong, SegmentEnd> ends = [];

    // Up to where all of a segment was synced once.
    private readonly Dictionary<Segment, long> proved = [];

    // Those that the newest segment says there were; null when it does not say.
    private IEnumerable<ulong>? expected;
    private int segmentCount;

    public SpoolRecovery Report { get; private set; } = new(0, 0, [], [], TimeSpan.Zero);

    /// <summary>The arrival number of the next message.</summary>
    public ulong NextOrder { get; private set; } = 1;

    /// <exception cref="SpoolUnavailableException">
    /// Some of the log cannot be read, or is not ours to touch. Nothing was changed.
    /// </exception>
    /// <exception cref="IOException">All was read; what reading found could not be put in order.</exception>
    public void Run()
    {
        var begun = clock.GetTimestamp();
        lock (index.Gate)
        {
            try
            {
                ReadAll();
                var (damage, tears) = findings.Settle();
                index.SortByArrival();
                index.EndWhatHasEnded();
                Report = new SpoolRecovery(segmentCount, index.Count, damage, tears, clock.GetElapsedTime(begun));
            }
            catch (Exception)
            {
                index.Segments.ForEach(static segment => segment.Close());
                throw;
            }
        }
    }

    private void ReadAll()
    {
        try
        {
            var found = store.Find();
            foreach (var spare in found.Spares)
                findings.Spare(spare);
            store.Remember(found.Spares.Concat(found.Graves));
            store.NextId = found.Retired.DefaultIfEmpty().Max() + 1;
            foreach (var (id, path) in found.Segments)
                Open(id, path);
            foreach (var segment in unused)
                Reject(segment);
            for (var i = 0; i < segments.Count; i++)
                Read(segments[i].Segment, segments[i].Header, isLast: i == segments.Count - 1);
            CheckChain(found.Retired);
            foreach (var (message, reason) in incomplete.Values)
                JudgeIncomplete(message, reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpoolUnavailableException(
                $"The spool in {directory.Path} was not opened, and nothing in it was changed: {e.Message}. {WhatToDo(e)}", e);
        }
    }

    private static string WhatToDo(Exception e) => (e.InnerException ?? e) switch
    {
        IOException io when Libc.IsOutOfDescriptors(io) => "Let this process open more files (ulimit -n, LimitNOFILE=), and start again.",
        IOException io when !Libc.IsRefusal(io) =>
            "Copy the directory to a sound disk and start from there; to go on without what that file holds, move it elsewhere.",
        _ => "Mend that, and start again.",
    };

    /// <summary>Looks what kind of file it is.</summary>
    private void Open(ulong id, string path)
    {
        if (new FileInfo(path).LinkTarget is { } target)
            throw new SpoolUnavailableException(
                $"The segment {path} is a symbolic link to {target}. Put the file itself there, or take the link away.");
        store.NextId = Math.Max(store.NextId, id + 1);
        var file = store.Files.Open(path);
        window.Open(file, path);
        var header = ReadHeader(id, path);
        if (header?.Previous is { } previous)
            ends[previous.Id] = previous;
        var segment = new Segment(header ?? new SegmentHeader(SegmentHeader.CurrentVersion, id, Stamp: 0), path, file, window.Length);
        index.Segments.Add(segment);
        if (header is null && IsUnused())
            unused.Add(segment);
        else
            segments.Add((segment, header));
    }

    private void Read(Segment segment, SegmentHeader? header, bool isLast)
    {
        window.Open(segment.File, segment.Path);
        if (header is null)
        {
            findings.Headless(segment.Path, window.Length, isTear: isLast && !HasRecord());
            Forget(segment);
            return;
        }

        segmentCount++;
        if (segment.IsChained)
            expected = null;                    // its own list says it better, or nothing does
        var scanner = new SegmentScanner(window);
        scanner.Scan(segment, (in RecordHeader record, long offset, ReadOnlySpan<byte> payload) => Apply(segment, record, offset, payload));
        (segment.End, segment.Tally, segment.Gaps) = (scanner.End, scanner.Tally, scanner.Footer?.Gaps ?? []);
        proved[segment] = scanner.Footer is null && isLast ? scanner.Proved : long.MaxValue;
        foreach (var stretch in scanner.Damage)
            Judge(segment, stretch);
        if (scanner.Tail is { } tail)
            Judge(segment, tail);
        if (scanner.Footer is { } footer && footer.Tally != segment.Tally && !findings.HasDamageIn(segment.Path))
            findings.Missing(segment.Path, scanner.End, length: 0, Compare(footer.Tally, segment.Tally));
        if (isLast)
        {
            segment.IsSealed = scanner.Footer is not null;
            segment.DoubtfulFrom = segment.IsSealed ? null : segment.IsChained ? scanner.Proved : SegmentHeader.Size;
            store.Newest = segment;
        }
        else if (segment.IsChained && scanner.Footer is null)
        {
            JudgeEnd(segment, scanner.Tail is not null);
        }
    }

    /// <summary>Of a segment that was sealed, and has no footer.</summary>
    private void JudgeEnd(Segment segment, bool hasTail)
    {
        var end = ends.TryGetValue(segment.Id, out var known) && known.Stamp == segment.Stamp ? known : default;
        if (end.Id == 0)
            findings.Missing(
                segment.Path, segment.End, window.Length - segment.End, "the end of the segment is missing, and what stood there with it");
        else if ((end.End, end.Tally) != (segment.End, segment.Tally))
            findings.Missing(
                segment.Path,
                segment.End,
                Math.Max(0, end.End - segment.End),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the end of the segment is missing: it went to octet {end.End}, {Compare(end.Tally, segment.Tally)}"));
        else if (!hasTail)
            findings.Missing(segment.Path, segment.End, length: 0, "the footer of the segment is missing; all records are there");
    }

    /// <summary>In the newest segment, what no later record proves to have been synced was never promised to anybody.</summary>
    private void Judge(Segment segment, SegmentScanner.Stretch stretch)
    {
        if (IsKnown(segment, stretch.Offset, stretch.Length))
            return;
        if (stretch.Offset >= proved[segment] && (segment.IsChained || stretch.Offset >= segment.End))
            findings.Torn(segment, stretch.Offset, stretch.Length, stretch.Reason);
        else
            findings.Damaged(segment, stretch.Offset, stretch.Length, stretch.Reason);
    }

    private static bool IsKnown(Segment segment, long offset, long length) =>
        segment.Gaps.Any(gap => gap.Offset <= offset && offset + length <= gap.Offset + gap.Length);

    private void JudgeIncomplete(StoredMessage message, string reason)
    {
        var record = message.Location.Record;
        if (IsKnown(record.Segment, record.Offset, record.Stride))
            return;
        if (record.Segment.IsChained && record.Offset >= proved[record.Segment])
            findings.Torn(record.Segment, record.Offset, record.Stride, reason, message.Id);
        else
            findings.Damaged(record.Segment, record.Offset, record.Stride, reason, message.Id);
    }

    /// <summary>What later segments say of those that are damaged, cut short or gone.</summary>
    private void CheckChain(HashSet<ulong> retired)
    {
        foreach (var (segment, header) in segments)
        {
            if (header is not null && ends.TryGetValue(segment.Id, out var end) && !findings.HasDamageIn(segment.Path)
                && (end.Stamp, end.End, end.Tally) != (segment.Stamp, segment.End, segment.Tally))
            {
                findings.Missing(segment.Path, segment.End, length: 0, end.Stamp == segment.Stamp
                    ? Compare(end.Tally, segment.Tally)
                    : "this is not the segment that was there: another file has its name");
            }
        }

        foreach (var id in expected ?? [])
        {
            if (!segments.Exists(s => s.Segment.Id == id) && !unused.Exists(s => s.Id == id) && !retired.Contains(id))
                findings.Missing(store.PathOf(id), offset: 0, length: 0, "the segment is missing, and what stood in it with it");
        }
    }

    private static string Compare(SegmentTally was, SegmentTally found) => string.Create(
        CultureInfo.InvariantCulture,
        $"{was.Count} records were there, and {found.Count} can be read");

    /// <summary>
    /// A file of zeros: behind the log one that was being made when the power went, and within it one that lost everything.
    /// </summary>
    private void Reject(Segment segment)
    {
        if (segments.Exists(other => other.Segment.Id > segment.Id))
            findings.Headless(segment.Path, segment.Size, isTear: false);
        else
            findings.Unneeded(segment.Path);
        Forget(segment);
    }

    private void Forget(Segment segment)
    {
        index.Segments.Remove(segment);
        segment.Close();
    }

    /// <summary>Null when neither copy of the header is sound.</summary>
    private SegmentHeader? ReadHeader(ulong id, string path)
    {
        SegmentHeader? sound = null;
        long? broken = null;
        for (var copy = 0; copy < SegmentHeader.Copies; copy++)
        {
            var at = copy * SegmentHeader.CopySize;
            if (SegmentHeader.Read(window.At(at, SegmentHeader.CopySize)) is { } header && header.Id == id)
                sound ??= header;
            else
                broken = at;
        }

        if (sound is { Version: not (SegmentHeader.CurrentVersion or SegmentHeader.UnchainedVersion) and var version })
            throw new SpoolUnavailableException(
                $"The segment {path} has format {version}; this version reads formats {SegmentHeader.UnchainedVersion} and "
                    + $"{SegmentHeader.CurrentVersion}. Start the version that wrote it.");
        if (sound is not null && broken is { } offset)
            findings.DamagedCopy(
                path,
                offset,
                SegmentHeader.CopySize,
                "one copy of the segment header was damaged; the other is sound",
                window.Length < SegmentHeader.Size);
        return sound;
    }

    /// <summary>Whether anything in the file looks like the beginning of a record: then it was in use.</summary>
    private bool HasRecord()
    {
        for (long at = 0; at < window.Length;)
        {
            var octets = window.From(at, RecordHeader.Magic.Length);
            if (octets.IndexOf(RecordHeader.Magic) >= 0)
                return true;
            at += Math.Max(1, octets.Length - RecordHeader.Magic.Length + 1);
        }

        return false;
    }

    private bool IsUnused()
    {
        for (long at = 0; at < window.Length;)
        {
            var octets = window.From(at, 1);
            if (octets.ContainsAnyExcept((byte)0))
                return false;
            at += octets.Length;
        }

        return true;
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
                    findings.Damaged(segment, offset, location.Stride, reason, id);
                break;
            case RecordKind.State:
                if (SetState(location, payload) is { } fault)
                    findings.Damaged(segment, offset, location.Stride, fault);
                break;
            case RecordKind.Removed:
                Remove(segment, payload);
                break;
            case RecordKind.Segments when segment.IsChained:
                expected = SegmentList.Read(payload).Keys;
                break;
            default:
                findings.Damaged(segment, offset, location.Stride, $"records of kind {(byte)header.Kind} are unknown");
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
            SettleByIncomplete(message, payload, location);
            return null;
        }

        try
        {
            var size = message.Inline + pieces.Sum(static piece => (long)piece.Length);
            var envelope = message.Envelope(payload);
            // Not damage: it would be set aside, and taken for dead. Whoever wrote it can read it.
            if (envelope.V > StoredEnvelope.CurrentVersion)
                throw new SpoolUnavailableException(
                    $"The segment {location.Segment.Path} holds an envelope of version {envelope.V}; "
                        + $"this version reads {StoredEnvelope.CurrentVersion}. Start the version that wrote it.");
            if (envelope.Unknown is { } parameters)
                throw new SpoolUnavailableException(
                    $"The segment {location.Segment.Path} holds an envelope with '{parameters}', which this version does not know. "
                        + $"Start the version that wrote it.");
            var entry = envelope.ToEntry(message.Id, size, words);
            var stored = new StoredMessage(message.Id, order, entry, new MessageLocation(location, message.Inline, pieces));
            var settled = FindSettled(envelope);
            index.Add(stored);
            index.Due.Rest(stored);
            foreach (var (told, state) in settled)
                index.SetState(told, state, location);
            if (incomplete.Remove(message.Id, out var older))
                SpoolIndex.Remember(stored, older.Message.Location.Record.Segment);
            return null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return $"the envelope cannot be read: {e.Message}";
        }
    }

    /// <summary>
    /// The report has been moved since, and its chunks are gone; its record is still the newest of the message that it tells of. Where it
    /// is damaged instead, that is told, and no second report is made.
    /// </summary>
    private void SettleByIncomplete(MessagePayload message, ReadOnlySpan<byte> payload, RecordLocation location)
    {
        try
        {
            foreach (var (told, state) in FindSettled(message.Envelope(payload)))
                index.SetState(told, state, location);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            // What is left of it is judged as a whole.
        }
    }

    /// <summary>The messages whose states stand in the record of another, as they are known by now, and those states.</summary>
    private List<(StoredMessage Message, DeliveryState State)> FindSettled(StoredEnvelope envelope)
    {
        var found = new List<(StoredMessage, DeliveryState)>();
        foreach (var settled in envelope.Settled)
        {
            if (QueueId.TryParse(settled.Id, out var id) && index.TryFind(id, out var message))
                found.Add((message, settled.State.ToState(message.Recipients, words)));
        }

        return found;
    }

    private RecordLocation[]? FindChunks(MessagePayload message, ReadOnlySpan<byte> payload)
    {
        var pieces = message.Chunks == 0 ? [] : new RecordLocation[message.Chunks];
        for (var i = 0; i < pieces.Length; i++)
        {
            var wanted = message.Chunk(payload, i);
            if (!chunks.TryGetValue((wanted.Segment, wanted.Offset), out pieces[i])
                || pieces[i].Length != wanted.Length
                || pieces[i].Crc != wanted.Crc)
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
            index.SetState(message, StateRecord.Read(payload).ToState(message.Recipients, words), location);
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
