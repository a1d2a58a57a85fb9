using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>A message being written. Disposed without a commit, nothing of it remains.</summary>
public interface ISpoolDraft : IAsyncDisposable
{
    /// <summary>Octets appended so far.</summary>
    long Length { get; }

    /// <summary>Copies <paramref name="content"/>; a failure is remembered and answered at commit.</summary>
    ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>
    /// Makes the message durable and visible under <see cref="Envelope.Id"/>. Once the commit has been handed over,
    /// <paramref name="ct"/> no longer undoes it.
    /// </summary>
    ValueTask<SpoolCommit> CommitAsync(Envelope envelope, DeliveryState state, CancellationToken ct);
}

/// <summary>What became of a draft.</summary>
public abstract record SpoolCommit
{
    private SpoolCommit()
    {
    }

    public sealed record Durable(SpoolEntry Entry) : SpoolCommit;

    /// <summary>
    /// The claim that was to be changed with it is stale, or its message gone (<see cref="ISpoolClaims"/>): nothing was kept,
    /// and the draft can still be committed by itself.
    /// </summary>
    public sealed record Outdated : SpoolCommit
    {
        public static Outdated Instance { get; } = new();
    }

    /// <summary>No room; nothing was kept.</summary>
    public sealed record Full(string Reason) : SpoolCommit;

    /// <summary>The disk failed; nothing was promised.</summary>
    public sealed record Failed(string Reason) : SpoolCommit;
}
