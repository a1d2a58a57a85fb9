using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Spool;

/// <summary>Where a spool lives, and how it is opened. One record a kind of spool, with the settings of that kind.</summary>
public abstract record SpoolOptions
{
    /// <summary>Nothing was ever accepted here; whoever only asks need not open it, and so make it.</summary>
    public abstract bool IsUnused { get; }

    /// <summary>The spool of a server with one disk: the directory is made when it is missing.</summary>
    public static SpoolOptions Local(string directory) => new SegmentSpoolOptions { Directory = directory };

    /// <exception cref="SpoolUnavailableException">It cannot be used, or belongs to somebody else.</exception>
    public abstract ValueTask<ISpool> OpenAsync(TimeProvider clock, CancellationToken ct);

    /// <summary>
    /// Octets that the spool wants to have left free on its disk, of <paramref name="total"/>: others who write there keep off them too.
    /// </summary>
    public abstract long ReserveOf(long total);

    /// <summary>
    /// Copies the spool into <paramref name="dataDirectory"/>, under its own name, also while a server writes to it, and reads the copy. It
    /// holds every message that was there from the first to the last moment. Null where there is none, or nothing that a copy of files
    /// could hold.
    /// </summary>
    /// <exception cref="IOException">Something cannot be read or written.</exception>
    /// <exception cref="SpoolUnavailableException">The copy cannot be read.</exception>
    public abstract ValueTask<SpoolRecovery?> CopyAsync(string dataDirectory, TimeProvider clock, CancellationToken ct);
}
