using Postern.Relay.Spool.Claims;

namespace Postern.Relay.Spool.Memory;

/// <summary>One message, its number in the order of arrival, and its content.</summary>
internal sealed class MemoryMessage(long order, SpoolEntry entry, ReadOnlyMemory<byte> content) : SpoolItem(entry.Envelope.Id, entry)
{
    public long Order => order;

    public ReadOnlyMemory<byte> Content => content;
}
