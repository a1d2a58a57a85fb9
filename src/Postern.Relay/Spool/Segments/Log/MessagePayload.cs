using System.Buffers.Binary;
using System.Text.Json;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>
/// The payload of a message record: a prefix of fixed size, the end of the content, the envelope as JSON, the chunks before it.
/// </summary>
/// <param name="Inline">Octets of content in this record.</param>
/// <param name="Json">Octets of the envelope.</param>
internal readonly record struct MessagePayload(QueueId Id, int Inline, int Json, int Chunks)
{
    public const int PrefixSize = 32;

    private const int InlineAt = 16;
    private const int JsonAt = 20;
    private const int ChunksAt = 24;
    private const int ChunkSize = 24;

    public int Length => PrefixSize + Inline + Json + (Chunks * ChunkSize);

    public void WritePrefix(Span<byte> octets)
    {
        octets[..PrefixSize].Clear();
        BinaryPrimitives.WriteUInt128LittleEndian(octets, Id.Value);
        BinaryPrimitives.WriteInt32LittleEndian(octets[InlineAt..], Inline);
        BinaryPrimitives.WriteInt32LittleEndian(octets[JsonAt..], Json);
        BinaryPrimitives.WriteInt32LittleEndian(octets[ChunksAt..], Chunks);
    }

    /// <summary>Writes what follows the content.</summary>
    public static void WriteTrailer(Span<byte> octets, ReadOnlySpan<byte> json, IReadOnlyList<RecordLocation> chunks)
    {
        json.CopyTo(octets);
        octets = octets[json.Length..];
        foreach (var chunk in chunks)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(octets, chunk.Segment.Id);
            BinaryPrimitives.WriteInt64LittleEndian(octets[8..], chunk.Offset);
            BinaryPrimitives.WriteInt32LittleEndian(octets[16..], chunk.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(octets[20..], chunk.Crc);
            octets = octets[ChunkSize..];
        }

        octets.Clear();
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out MessagePayload message)
    {
        message = default;
        if (payload.Length < PrefixSize)
            return false;
        message = new MessagePayload(
            new QueueId(BinaryPrimitives.ReadUInt128LittleEndian(payload)),
            BinaryPrimitives.ReadInt32LittleEndian(payload[InlineAt..]),
            BinaryPrimitives.ReadInt32LittleEndian(payload[JsonAt..]),
            BinaryPrimitives.ReadInt32LittleEndian(payload[ChunksAt..]));
        return message is { Inline: >= 0, Json: >= 0, Chunks: >= 0 }
            && message.Inline + (long)message.Json + ((long)message.Chunks * ChunkSize) == payload.Length - PrefixSize;
    }

    public ReadOnlySpan<byte> Content(ReadOnlySpan<byte> payload) => payload.Slice(PrefixSize, Inline);

    /// <exception cref="JsonException">Not an envelope.</exception>
    public StoredEnvelope Envelope(ReadOnlySpan<byte> payload) =>
        QuickJson.Envelope(payload.Slice(PrefixSize + Inline, Json))
        ?? JsonSerializer.Deserialize(payload.Slice(PrefixSize + Inline, Json), SpoolJson.Default.StoredEnvelope)
        ?? throw new JsonException("null is not an envelope");

    public (ulong Segment, long Offset, int Length, uint Crc) Chunk(ReadOnlySpan<byte> payload, int i)
    {
        var octets = payload.Slice(PrefixSize + Inline + Json + (i * ChunkSize), ChunkSize);
        return (
            BinaryPrimitives.ReadUInt64LittleEndian(octets),
            BinaryPrimitives.ReadInt64LittleEndian(octets[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(octets[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(octets[20..]));
    }
}
