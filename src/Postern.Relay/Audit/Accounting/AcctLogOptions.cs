namespace Postern.Relay.Audit.Accounting;

/// <summary>How the accounting log is kept, which stands beside the files of the audit log.</summary>
public sealed record AcctLogOptions
{
    /// <summary>Octets of the file that is written: beyond it a new one is begun.</summary>
    public long RotateOctets { get; init; } = 100_000_000;

    /// <summary>A new file is begun each time that so much has passed, counted from midnight UTC of some day long ago.</summary>
    public TimeSpan RotateEvery { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Files that are not written any more are compressed (gzip), but for the newest of them.</summary>
    public bool Compress { get; init; } = true;

    /// <summary>
    /// False for a process beside the server: it adds lines and begins no new file, for the server would go on writing into the old one.
    /// </summary>
    public bool Rotates { get; init; } = true;
}
