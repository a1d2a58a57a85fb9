using System.Buffers;
using System.Text.Json;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>
/// Pooled room for content that is on its way into the log, laid out so that it becomes a chunk record or a message record
/// where it lies. Begins small, as most messages are, and grows once.
/// </summary>
internal sealed class ContentBlock
{
    public const int FullSize = 64 << 10;

    /// <summary>Most octets of content that one block holds.</summary>
    public const int Capacity = FullSize - ContentAt;

    private const int SmallSize = 16 << 10;
    private const int ContentAt = RecordHeader.Size + MessagePayload.PrefixSize;

    private byte[]? octets;
    private byte[]? overflow;

    public int Length { get; private set; }

    public bool IsFull => Length == Capacity;

    /// <summary>Copies as much as fits; returns how much that was.</summary>
    public int Append(ReadOnlySpan<byte> content)
    {
        var taken = Math.Min(content.Length, Capacity - Length);
        content[..taken].CopyTo(Room(taken));
        Length += taken;
        return taken;
    }

    /// <summary>Room to fill with exactly so many octets of content; see <see cref="Advance"/>.</summary>
    public Span<byte> Room(int count)
    {
        var needed = ContentAt + Length + count;
        if (octets is null || octets.Length < needed)
        {
            var larger = ArrayPool<byte>.Shared.Rent(needed <= SmallSize ? SmallSize : Math.Max(FullSize, needed));
            if (octets is not null)
            {
                octets.AsSpan(0, ContentAt + Length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(octets);
            }

            octets = larger;
        }

        return octets.AsSpan(ContentAt + Length, count);
    }

    /// <summary>That many octets of <see cref="Room"/> have been filled.</summary>
    public void Advance(int count) => Length += count;

    /// <summary>The content as a chunk. It lies where the block has it: keep the block until the record is written.</summary>
    public LogRecord ToChunk()
    {
        var padded = RecordHeader.Pad(Length);
        octets.AsSpan(ContentAt + Length, padded - Length).Clear();
        return new LogRecord(
            RecordKind.Chunk, octets.AsMemory(MessagePayload.PrefixSize, RecordHeader.Size + padded), second: default, Length);
    }

    /// <summary>The content as the end of a message. Keep the block until the record is written.</summary>
    /// <param name="settles">The states of other messages that are recorded with it; null for none.</param>
    public LogRecord ToMessage(
        Envelope envelope, DeliveryState state, IReadOnlyList<RecordLocation> chunks, StoredSettlement[]? settles = null)
    {
        var stored = StoredEnvelope.Of(envelope, state);
        if (settles is not null)
            stored = stored with { Settles = settles[0], SettlesToo = settles is [_, .. { Length: > 0 } others] ? others : null };
        var json = JsonSerializer.SerializeToUtf8Bytes(stored, SpoolJson.Default.StoredEnvelope);
        var payload = new MessagePayload(envelope.Id, Length, json.Length, chunks.Count);
        Room(0);
        payload.WritePrefix(octets.AsSpan(RecordHeader.Size));
        var content = ContentAt + Length;
        var trailer = RecordHeader.Size + RecordHeader.Pad(payload.Length) - content;
        if (content + trailer <= octets!.Length)
        {
            MessagePayload.WriteTrailer(octets.AsSpan(content, trailer), json, chunks);
            return new LogRecord(RecordKind.Message, octets.AsMemory(0, content + trailer), second: default, payload.Length);
        }

        if (overflow is not null)
            ArrayPool<byte>.Shared.Return(overflow);
        overflow = ArrayPool<byte>.Shared.Rent(trailer);
        MessagePayload.WriteTrailer(overflow.AsSpan(0, trailer), json, chunks);
        return new LogRecord(RecordKind.Message, octets.AsMemory(0, content), overflow.AsMemory(0, trailer), payload.Length);
    }

    public void Clear() => Length = 0;

    /// <summary>Gives the memory back; nothing may still be writing it.</summary>
    public void Return()
    {
        if (octets is not null)
            ArrayPool<byte>.Shared.Return(octets);
        if (overflow is not null)
            ArrayPool<byte>.Shared.Return(overflow);
        octets = overflow = null;
        Length = 0;
    }
}
