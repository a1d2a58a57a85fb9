using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>One stretch of a segment that cannot be trusted.</summary>
/// <param name="Segment">The segment file.</param>
/// <param name="Offset">Where it begins, in octets from the start of the file.</param>
/// <param name="Message">The message it belonged to, when that can still be told.</param>
/// <param name="SavedAs">The copy in the quarantine directory; null when none could be written, and then the segment is kept.</param>
public sealed record SpoolDamage(string Segment, long Offset, long Length, string Reason, QueueId? Message, string? SavedAs)
{
    /// <summary>All of it in one line, for people.</summary>
    public string Sentence => $"{Segment} at {Offset}: {Reason}{(Message is { } id ? $", message {id}" : string.Empty)}{(SavedAs is { } file ? $", kept as {file}" : string.Empty)}";
}
