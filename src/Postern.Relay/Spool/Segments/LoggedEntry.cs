using System.Buffers;
using System.Text.Json;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;
using Postern.Relay.Spool.Segments.Recovery;

namespace Postern.Relay.Spool.Segments;

/// <summary>The entry of a message as the log has it, for those that have none in memory.</summary>
internal static class LoggedEntry
{
    /// <summary>The entry in memory, where there is one. Of a message that is not removed.</summary>
    /// <exception cref="InvalidDataException">The log holds something else.</exception>
    public static SpoolEntry Of(ISegmentFiles files, SpoolIndex index, StoredMessage message)
    {
        MessageLocation location;
        RecordLocation? state;
        lock (index.Gate)
        {
            if (message.Entry is { } known)
                return known;
            (location, state) = (message.Location, message.StateRecord);
        }

        var words = new ReplayWords();
        try
        {
            var entry = Read(files, location.Record, payload => MessagePayload.TryRead(payload, out var prefix)
                ? prefix.Envelope(payload).ToEntry(
                    message.Id, location.ContentOctets, words)
                : throw new InvalidDataException("the lengths in the message record do not add up"));
            return state is { } record
                ? entry with
                {
                    State = Read(files, record, payload => StateRecord.Read(payload).ToState(entry.Envelope.Recipients.Length, words)),
                }
                : entry;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new InvalidDataException(
                $"The record of {message.Id} at {location.Record.Offset} of {location.Record.Segment.Path} cannot be read: {e.Message}", e);
        }
    }

    private static T Read<T>(ISegmentFiles files, RecordLocation record, Func<ReadOnlySpan<byte>, T> parse)
    {
        var payload = ArrayPool<byte>.Shared.Rent(record.Length);
        try
        {
            RecordReader.Read(files, record, payload.AsSpan(0, record.Length));
            return parse(payload.AsSpan(0, record.Length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(payload);
        }
    }
}
