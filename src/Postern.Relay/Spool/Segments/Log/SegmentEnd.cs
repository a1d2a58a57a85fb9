namespace Postern.Relay.Spool.Segments.Log;

/// <summary>What the header of a segment says of the one before: it was synced whole, and this is all that it held.</summary>
/// <param name="End">Where its records end, in octets from the start of the file; its footer, where it has one, stands there.</param>
internal readonly record struct SegmentEnd(ulong Id, ulong Stamp, long End, SegmentTally Tally);
