using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>Where one message stands: its record, which ends the content, and the chunks that come before.</summary>
/// <param name="Inline">Octets of content inside the message record.</param>
internal readonly record struct MessageLocation(RecordLocation Record, int Inline, RecordLocation[] Chunks)
{
    public bool Touches(Segment segment) =>
        Record.Segment == segment || Array.Exists(Chunks, chunk => chunk.Segment == segment);
}
