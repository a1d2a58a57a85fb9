using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// The last state of a message whose delivery is over. Nobody waits for it: where it is lost, by a power cut or for lack of room, the message comes back as it
/// was, as it does when its removal is lost.
/// </summary>
internal sealed class EndRecord(SpoolIndex index, StoredMessage message, DeliveryState last) : StateRecord(index, message, last)
{
    public override bool NeedsSync => false;

    public override void Failed(WriteFailure failure)
    {
    }
}
