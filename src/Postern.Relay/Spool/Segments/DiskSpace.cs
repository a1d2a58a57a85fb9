namespace Postern.Relay.Spool.Segments;

/// <summary>Octets of a file system, and how many of them this process may still take.</summary>
internal readonly record struct DiskSpace(long Total, long Free);
