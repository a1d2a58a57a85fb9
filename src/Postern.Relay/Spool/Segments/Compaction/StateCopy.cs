using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>Copies the newest state of a message out of a segment that is to go.</summary>
internal sealed class StateCopy(SpoolIndex index, StoredMessage message, DeliveryState state, Action onRefused)
    : StateRecord(index, message, state)
{
    public override void Failed(WriteFailure failure) => onRefused();
}
