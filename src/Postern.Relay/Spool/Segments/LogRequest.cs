using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// Something that the committer is to write. On its own thread it calls <see cref="Prepare"/>, gives the record its
/// <see cref="Location"/>, and when the record is as safe as <see cref="NeedsSync"/> asks, <see cref="Apply"/> and then
/// <see cref="Succeeded"/>; or <see cref="Failed"/> at any point instead.
/// </summary>
internal abstract class LogRequest
{
    /// <summary>Done only when the disk has it, rather than when it is written.</summary>
    public virtual bool NeedsSync => true;

    /// <summary>The arrival number that the record carries; null when the committer is to give the next one.</summary>
    public virtual ulong? Order => 0;

    public RecordLocation Location { get; private set; }

    /// <summary>The record, or null when there is nothing to write any more.</summary>
    public abstract LogRecord? Prepare();

    public virtual void Place(RecordLocation location, ulong order) => Location = location;

    /// <summary>Changes the index, whose gate is held.</summary>
    public virtual void Apply(SpoolIndex index)
    {
    }

    /// <summary>The message that has become visible.</summary>
    public virtual SpoolEntry? Committed => null;

    public virtual void Succeeded()
    {
    }

    public virtual void Failed(WriteFailure failure)
    {
    }
}
