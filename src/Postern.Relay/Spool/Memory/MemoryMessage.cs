namespace Postern.Relay.Spool.Memory;

/// <summary>One message, its number in the order of arrival, and its content.</summary>
internal sealed record MemoryMessage(long Order, SpoolEntry Entry, ReadOnlyMemory<byte> Content);
