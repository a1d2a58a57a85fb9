using System.Buffers.Binary;
using System.Text.Json;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>A record of one message's delivery state.</summary>
internal abstract class StateRecord(SpoolIndex index, StoredMessage message, DeliveryState state) : LogRequest
{
    public const int IdSize = 16;

    /// <summary>False when the message was removed first.</summary>
    protected bool WasThere { get; private set; }

    protected StoredMessage Message => message;

    /// <exception cref="JsonException">Not a state.</exception>
    public static StoredState Read(ReadOnlySpan<byte> payload) =>
        QuickJson.State(payload[IdSize..])
        ?? JsonSerializer.Deserialize(payload[IdSize..], SpoolJson.Default.StoredState)
        ?? throw new JsonException("null is not a state");

    public override LogRecord? Prepare()
    {
        lock (index.Gate)
        {
            if (message.IsRemoved)
                return null;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(StoredState.Of(state), SpoolJson.Default.StoredState);
        var length = IdSize + json.Length;
        var octets = new byte[RecordHeader.Size + RecordHeader.Pad(length)];
        var payload = octets.AsSpan(RecordHeader.Size);
        BinaryPrimitives.WriteUInt128LittleEndian(payload, message.Id.Value);
        json.CopyTo(payload[IdSize..]);
        return new LogRecord(RecordKind.State, octets, second: default, length);
    }

    public override void Apply(SpoolIndex index)
    {
        WasThere = !message.IsRemoved;
        if (WasThere)
            index.SetState(message, state, Location);
    }
}

/// <summary>
/// The last state of a message whose delivery is over. Nobody waits for it: where it is lost, by a power cut or for lack of room, the
/// message comes back as it was, as it does when its removal is lost.
/// </summary>
internal sealed class EndRecord(SpoolIndex index, StoredMessage message, DeliveryState last) : StateRecord(index, message, last)
{
    public override bool NeedsSync => false;

    public override void Apply(SpoolIndex index)
    {
        base.Apply(index);
        Message.Entry = null;
    }

    public override void Failed(WriteFailure failure)
    {
    }
}
