using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>Reads payloads back, and never returns one that is not what was written.</summary>
internal static class RecordReader
{
    /// <summary>Fills <paramref name="payload"/>, which has the record's length.</summary>
    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public static void Read(ISegmentFiles files, RecordLocation record, Span<byte> payload)
    {
        var offset = record.Offset + RecordHeader.Size;
        for (var done = 0; done < payload.Length;)
        {
            var count = files.Read(record.Segment.File, payload[done..], offset + done);
            if (count == 0)
                throw Damaged(record, "the file ends within it");
            done += count;
        }

        if (Crc32C.Of(payload) != record.Crc)
            throw Damaged(record, "its checksum does not match");
    }

    private static InvalidDataException Damaged(RecordLocation record, string why) =>
        new($"The record at {record.Offset} of {record.Segment.Path} is damaged: {why}");
}
