namespace Postern.Relay.Spool;

/// <summary>What became of a draft.</summary>
public abstract record SpoolCommit
{
    private SpoolCommit()
    {
    }

    public sealed record Durable(SpoolEntry Entry) : SpoolCommit;

    /// <summary>No room; nothing was kept.</summary>
    public sealed record Full(string Reason) : SpoolCommit;

    /// <summary>The disk failed; nothing was promised.</summary>
    public sealed record Failed(string Reason) : SpoolCommit;
}
