using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Recovery;

/// <summary>Walks through the records of one segment, past damage and zeros, to its footer or its end.</summary>
internal sealed class SegmentScanner(LogWindow window)
{
    // How much of an unreadable end is worth keeping: what one batch may have left.
    private const long MostTail = 8 << 20;

    private readonly List<Stretch> damage = [];

    public delegate void RecordFound(in RecordHeader header, long offset, ReadOnlySpan<byte> payload);

    public readonly record struct Stretch(long Offset, long Length, string Reason);

    /// <summary>Where the sound records end, the footer not counted.</summary>
    public long End { get; private set; }

    /// <summary>Of the sound records, the footer not counted.</summary>
    public SegmentTally Tally { get; private set; }

    /// <summary>Null when the segment was not sealed, or lost that.</summary>
    public SegmentFooter? Footer { get; private set; }

    /// <summary>Up to here a later record proves that all was on the disk once. Means nothing in format 1.</summary>
    public long Proved { get; private set; }

    /// <summary>What is no record, with a sound record or the footer behind it.</summary>
    public IReadOnlyList<Stretch> Damage => damage;

    /// <summary>What stands behind the last sound record: nothing, or the torn rest of a write.</summary>
    public Stretch? Tail { get; private set; }

    /// <exception cref="IOException">The disk does not give it.</exception>
    public void Scan(Segment segment, RecordFound onRecord)
    {
        damage.Clear();
        (Footer, Tail, Tally, Proved) = (null, null, default, SegmentHeader.Size);
        End = SegmentHeader.Size;
        Stretch? bad = null;
        for (var at = End; at < window.Length;)
        {
            long next;
            var octets = window.At(at, RecordHeader.Size);
            if (!RecordHeader.TryRead(octets, segment.Stamp, at, out var header))
            {
                next = FindRecord(at + RecordHeader.Alignment, segment.Stamp);
                if (next < 0 && IsEndMark(at))
                    break;
                bad = Join(bad, at, next < 0 ? TailEnd(at) : next, "no record header where one must be");
                if (next < 0)
                    break;
                at = next;
                continue;
            }

            var headerCrc = RecordHeader.CrcOf(octets);
            next = at + header.Stride;
            var payload = window.At(at + RecordHeader.Size, header.Length);
            if (payload.Length != header.Length || Crc32C.Of(payload) != header.PayloadCrc)
            {
                bad = Join(bad, at, Math.Min(next, window.Length), "the checksum of the payload does not match");
                at = next;
                continue;
            }

            if (bad is { } before)
                damage.Add(before);
            bad = null;
            Proved = Math.Max(Proved, header.Synced);
            if (segment.IsChained && header.Kind == RecordKind.Sealed && SegmentFooter.Read(payload) is { } footer)
            {
                (End, Footer) = (at, footer);
                return;
            }

            Tally = Tally.With(headerCrc);
            onRecord(in header, at, payload);
            End = Math.Min(next, window.Length);
            at = next;
        }

        Tail = bad;
    }

    private static Stretch Join(Stretch? bad, long at, long end, string reason) =>
        bad is { } before ? before with { Length = end - before.Offset } : new Stretch(at, end - at, reason);

    /// <summary>The zeros that every flush puts behind its records; a file may also simply end.</summary>
    private bool IsEndMark(long at) => !window.At(at, RecordHeader.Size).ContainsAnyExcept((byte)0);

    private long FindRecord(long from, ulong stamp)
    {
        for (var at = from; at + RecordHeader.Size <= window.Length;)
        {
            var octets = window.From(at, RecordHeader.Size);
            var found = octets.IndexOf(RecordHeader.Magic);
            if (found < 0)
            {
                at += octets.Length - RecordHeader.Magic.Length + 1;
                continue;
            }

            at += found;
            if (at % RecordHeader.Alignment == 0 && RecordHeader.TryRead(window.At(at, RecordHeader.Size), stamp, at, out _))
                return at;
            at++;
        }

        return -1;
    }

    /// <summary>The last octet that is not zero, or where keeping more makes no sense.</summary>
    private long TailEnd(long at)
    {
        var end = at + 1;
        for (var from = at; from < Math.Min(window.Length, at + MostTail);)
        {
            var octets = window.From(from, 1);
            var last = octets.LastIndexOfAnyExcept((byte)0);
            if (last >= 0)
                end = from + last + 1;
            from += octets.Length;
        }

        return Math.Min(end, at + MostTail);
    }
}
