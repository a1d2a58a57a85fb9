using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>One message on its way out of a segment: first its chunks, then its record. The committer's own.</summary>
internal sealed class MessageMove(ISegmentFiles files, SpoolIndex index, StoredMessage message, Action onRefused)
{
    public StoredMessage Message => message;

    /// <summary>The chunks copied so far.</summary>
    public List<RecordLocation> Chunks { get; } = [];

    /// <summary>It could not be read or written: it stays where it is.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>Its entry, from the log where only that has it; false when it is damaged.</summary>
    public bool TryReadEntry([NotNullWhen(true)] out SpoolEntry? entry)
    {
        try
        {
            entry = LoggedEntry.Of(files, index, message);
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            entry = null;
            IsGivenUp = true;
            ReleaseChunks();
            return false;
        }
    }

    /// <summary>False when it is damaged.</summary>
    public bool TryRead(RecordLocation record, Span<byte> payload)
    {
        try
        {
            RecordReader.Read(files, record, payload);
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            IsGivenUp = true;
            ReleaseChunks();
            return false;
        }
    }

    public bool TryReadInline(MessageLocation source, ContentBlock block)
    {
        var payload = ArrayPool<byte>.Shared.Rent(source.Record.Length);
        try
        {
            if (!TryRead(source.Record, payload.AsSpan(0, source.Record.Length)))
                return false;
            payload.AsSpan(MessagePayload.PrefixSize, source.Inline).CopyTo(block.Room(source.Inline));
            block.Advance(source.Inline);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(payload);
        }
    }

    /// <summary>The disk did not take a copy.</summary>
    public void Refuse()
    {
        IsGivenUp = true;
        ReleaseChunks();
        onRefused();
    }

    /// <summary>The copies of the chunks belong to the message from now on, or to nobody.</summary>
    public void ReleaseChunks()
    {
        lock (index.Gate)
            index.Unclaim(Chunks);
        Chunks.Clear();
    }
}
