using System.Collections.Immutable;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>
/// What opening the spool found. Everything damaged is listed here and kept in the quarantine directory; nothing is dropped in silence.
/// </summary>
/// <param name="Segments">Segment files read.</param>
/// <param name="Messages">Messages that are in the spool.</param>
/// <param name="Quarantined">Damage among records that were once complete.</param>
/// <param name="TornTails">Unfinished writes at the end of the log, cut off: what a power loss leaves.</param>
public sealed record SpoolRecovery(
    int Segments,
    int Messages,
    ImmutableArray<SpoolDamage> Quarantined,
    ImmutableArray<SpoolDamage> TornTails,
    TimeSpan Elapsed)
{
    /// <summary>Of a spool that had nothing to read.</summary>
    public static SpoolRecovery Nothing { get; } = new(Segments: 0, Messages: 0, [], [], TimeSpan.Zero);

    public bool IsClean => Quarantined.IsEmpty && TornTails.IsEmpty;
}

/// <summary>One stretch of a segment that cannot be trusted.</summary>
/// <param name="Segment">The segment file.</param>
/// <param name="Offset">Where it begins, in octets from the start of the file.</param>
/// <param name="Message">The message it belonged to, when that can still be told.</param>
/// <param name="SavedAs">The copy in the quarantine directory; null when none could be written, and then the segment is kept.</param>
public sealed record SpoolDamage(string Segment, long Offset, long Length, string Reason, QueueId? Message, string? SavedAs)
{
    /// <summary>All of it in one line, for people.</summary>
    public string Sentence =>
        $"{Segment} at {Offset}: {Reason}"
            + (Message is { } id ? $", message {id}" : string.Empty)
            + (SavedAs is { } file ? $", kept as {file}" : string.Empty);
}
