namespace Postern.Relay.Spool.Segments.Disk;

/// <summary>Why a record did not get into the log.</summary>
/// <param name="IsFull">The disk has no room, rather than a fault.</param>
internal sealed record WriteFailure(bool IsFull, string Reason)
{
    public SpoolCommit ToCommit() => IsFull ? new SpoolCommit.Full(Reason) : new SpoolCommit.Failed(Reason);

    public IOException ToException() => new(Reason);
}
