using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Spool.Segments;

/// <summary>Where a segment spool lives and how much of the disk it may take.</summary>
public sealed record SegmentSpoolOptions : SpoolOptions
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Created with mode 0700 when it is missing; holds nothing but the spool.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Octets of one segment file. Smaller ones are made while little space is left, larger ones for a record that needs it.
    /// </summary>
    public long SegmentSize { get; init; } = 64L << 20;

    /// <summary>
    /// Octets of the disk that are left free for state changes and compaction; null means 5 % of the disk, at most 512 MB.
    /// </summary>
    public long? Reserve { get; init; }

    public override bool IsUnused => !System.IO.Directory.Exists(Directory);

    public override ValueTask<ISpool> OpenAsync(TimeProvider clock, CancellationToken ct) => new(SegmentSpool.Open(this, clock));

    public override long ReserveOf(long total) => Reserve ?? SpaceGuard.UsualReserve(total);

    public override async ValueTask<SpoolRecovery?> CopyAsync(string dataDirectory, TimeProvider clock, CancellationToken ct)
    {
        if (IsUnused)
            return null;
        var copy = Path.Combine(dataDirectory, Path.GetFileName(Directory));
        if (OperatingSystem.IsWindows())
            System.IO.Directory.CreateDirectory(copy);
        else
            System.IO.Directory.CreateDirectory(copy, OwnerOnly);
        var segments = SpoolCopy.Run(Directory, copy, ct);

        // A backup that was never read is a hope.
        await using var read = SegmentSpool.Open(this with { Directory = copy }, clock);
        if (read.Recovery.Quarantined.IsEmpty && System.IO.Directory.Exists(Path.Combine(copy, "quarantine")))
            System.IO.Directory.Delete(Path.Combine(copy, "quarantine"), recursive: true);   // the write of that moment
        return read.Recovery with { Segments = segments };
    }
}
