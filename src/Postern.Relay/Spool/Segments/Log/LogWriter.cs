namespace Postern.Relay.Spool.Segments.Log;

/// <summary>
/// Appends records to the newest segment; the committer's own. Records gather in memory until <see cref="Flush"/>, and are safe
/// after <see cref="Sync"/>. A full segment is synced and sealed before the next one is begun, so syncing the newest is enough.
/// </summary>
internal sealed class LogWriter(SegmentStore store)
{
    private static readonly byte[] EndMark = new byte[RecordHeader.Size];

    private readonly List<ReadOnlyMemory<byte>> gathered = [];
    private long flushedEnd;
    private long syncedEnd;
    private SegmentTally flushedTally;
    private bool isDirty;

    /// <summary>Null until the first record since opening.</summary>
    public Segment? Head { get; private set; }

    public long GatheredOctets => Head is null ? 0 : Head.End - flushedEnd;

    /// <summary>Octets handed to the operating system since the last sync.</summary>
    public long UnsyncedOctets { get; private set; }

    public bool HasRoom(int stride) =>
        Head is { IsSealed: false } && Head.End + stride + SegmentFooter.UsualStride + RecordHeader.Size <= Head.Size;

    /// <summary>
    /// Begins the next segment. Everything gathered must be flushed and synced. On failure the old one goes on, unless it is sealed.
    /// </summary>
    public void Rotate(int stride)
    {
        Head = store.Create(stride);
        flushedEnd = syncedEnd = Head.End;
        flushedTally = Head.Tally;
    }

    public RecordLocation Append(in LogRecord record, ulong order)
    {
        var head = Head!;
        var location = record.PlaceAt(head, head.End, order, syncedEnd);
        head.Tally = head.Tally.With(RecordHeader.CrcOf(record.First.Span));
        gathered.Add(record.First);
        if (!record.Second.IsEmpty)
            gathered.Add(record.Second);
        head.End += record.Stride;
        return location;
    }

    /// <summary>Writes what is gathered, and behind it the zeros that mark the end.</summary>
    public void Flush()
    {
        if (gathered.Count == 0)
            return;
        var head = Head!;
        gathered.Add(EndMark);
        isDirty = true;
        try
        {
            store.Files.Write(head.File, gathered, flushedEnd);
        }
        finally
        {
            gathered.Clear();
        }

        UnsyncedOctets += head.End - flushedEnd;
        flushedEnd = head.End;
        flushedTally = head.Tally;
    }

    public void Sync()
    {
        if (!isDirty)
            return;
        store.Files.Sync(Head!.File);
        isDirty = false;
        UnsyncedOctets = 0;
        syncedEnd = flushedEnd;
    }

    /// <summary>
    /// After a flush that found no space: cuts off what it wrote, so that nothing that was refused can come back, and leaves
    /// this segment.
    /// </summary>
    public void CutUnfinished()
    {
        var head = Head!;
        store.Files.Truncate(head.File, flushedEnd);
        head.End = flushedEnd;
        head.Size = flushedEnd;
        head.Tally = flushedTally;
        Sync();
        Head = null;
    }
}
