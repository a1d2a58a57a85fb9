namespace Postern.Relay.Spool.Segments;

/// <summary>Where a segment spool lives and how much of the disk it may take.</summary>
public sealed record SegmentSpoolOptions
{
    /// <summary>Created with mode 0700 when it is missing; holds nothing but the spool.</summary>
    public required string Directory { get; init; }

    /// <summary>Octets of one segment file. Smaller ones are made while little space is left, larger ones for a record that needs it.</summary>
    public long SegmentSize { get; init; } = 64L << 20;

    /// <summary>Octets of the disk that are left free for state changes and compaction; null means 5 % of the disk, at most 512 MB.</summary>
    public long? Reserve { get; init; }
}
