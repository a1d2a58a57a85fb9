namespace Postern.Relay.Spool.Segments;

/// <summary>Walks through the records of one segment, past damage, to its end.</summary>
internal sealed class SegmentScanner(LogWindow window)
{
    // How much of an unreadable end is worth keeping: what one batch may have left.
    private const long MostTail = 8 << 20;

    public delegate void RecordFound(in RecordHeader header, long offset, ReadOnlySpan<byte> payload);

    public delegate void DamageFound(long offset, long length, string reason);

    /// <summary>Where the sound records end.</summary>
    public long End { get; private set; }

    /// <summary>What stands behind the last sound record: nothing, or the torn rest of a write.</summary>
    public (long Offset, long Length, string Reason)? Tail { get; private set; }

    public void Scan(ulong stamp, RecordFound onRecord, DamageFound onDamage)
    {
        Tail = null;
        End = SegmentHeader.Size;
        (long Offset, long Length, string Reason)? bad = null;
        for (var at = End; at < window.Length;)
        {
            long next;
            if (!RecordHeader.TryRead(window.At(at, RecordHeader.Size), stamp, at, out var header))
            {
                next = FindRecord(at + RecordHeader.Alignment, stamp);
                if (next < 0 && IsEndMark(at))
                    break;
                bad = Join(bad, at, next < 0 ? TailEnd(at) : next, "no record header where one must be");
            }
            else
            {
                next = at + header.Stride;
                var payload = window.At(at + RecordHeader.Size, header.Length);
                if (payload.Length == header.Length && Crc32C.Of(payload) == header.PayloadCrc)
                {
                    if (bad is { } damage)
                        onDamage(damage.Offset, damage.Length, damage.Reason);
                    bad = null;
                    onRecord(in header, at, payload);
                    End = Math.Min(next, window.Length);
                }
                else
                {
                    bad = Join(bad, at, Math.Min(next, window.Length), "the checksum of the payload does not match");
                }
            }

            if (next < 0)
                break;
            at = next;
        }

        Tail = bad;
    }

    private static (long, long, string) Join((long Offset, long Length, string Reason)? bad, long at, long end, string reason) =>
        bad is { } before ? (before.Offset, end - before.Offset, before.Reason) : (at, end - at, reason);

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
