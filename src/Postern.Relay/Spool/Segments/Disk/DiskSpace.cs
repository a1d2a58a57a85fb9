namespace Postern.Relay.Spool.Segments.Disk;

/// <summary>Octets of a file system, and how many of them this process may still take.</summary>
/// <param name="FreeFiles">How many files may still be made; the greatest number where the file system has no such bound.</param>
internal readonly record struct DiskSpace(long Total, long Free, long FreeFiles = long.MaxValue);
