using System.Collections.Immutable;

namespace Postern.Relay.Spool;

/// <summary>What opening the spool found. Everything damaged is listed here and kept in the quarantine directory; nothing is dropped in silence.</summary>
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
