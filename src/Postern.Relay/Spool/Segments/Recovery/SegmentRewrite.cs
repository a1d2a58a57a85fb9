using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Recovery;

/// <summary>
/// Makes the disk hold what was read of a segment. After a sync that failed the pages in memory count as clean: reading gives
/// what the disk does not have, and a later sync does nothing about it. So they are written once more.
/// </summary>
internal sealed class SegmentRewrite(ISegmentFiles files)
{
    private readonly LogWindow window = new(files);

    /// <summary>Writes the records from <see cref="Segment.DoubtfulFrom"/> on again, as they are, and syncs.</summary>
    /// <exception cref="IOException">It failed, or the segment is not what it was when it was read.</exception>
    public void Run(Segment segment)
    {
        if (segment.DoubtfulFrom is not { } from)
            return;
        window.Open(segment.File, segment.Path);
        var scanner = new SegmentScanner(window);
        scanner.Scan(segment, (in RecordHeader header, long offset, ReadOnlySpan<byte> payload) =>
        {
            if (offset < from)
                return;
            var octets = new byte[header.Stride];
            header.Write(octets, segment.Stamp, offset);
            payload.CopyTo(octets.AsSpan(RecordHeader.Size));
            files.Write(segment.File, [octets], offset);
        });
        if (scanner.Tally != segment.Tally || scanner.End != segment.End)
            throw new IOException($"{segment.Path} changed while it was read");
        files.Sync(segment.File);
        segment.DoubtfulFrom = null;
    }
}
