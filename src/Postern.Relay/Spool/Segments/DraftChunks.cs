using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// The chunks of a message that is not committed yet. They change place when compaction empties their segment: a client that takes
/// an hour for its message keeps no segment in place. Guarded by the index's gate; only the committer changes a place.
/// </summary>
internal sealed class DraftChunks
{
    public List<RecordLocation> Places { get; } = [];

    /// <summary>The record that names the chunks is written, or nobody wants them any more: they are not moved as these.</summary>
    public bool IsClosed { get; set; }
}
