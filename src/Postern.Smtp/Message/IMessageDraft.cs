namespace Postern.Smtp.Message;

/// <summary>
/// A message on its way in. Disposed without a commit, it leaves nothing behind. Used by one session at a time.
/// </summary>
public interface IMessageDraft : IAsyncDisposable
{
    /// <summary>
    /// Takes the next octets of the content: dot-unstuffed, cut anywhere. Every CR and LF in it is part of a CRLF,
    /// unless the transaction is one of BODY=BINARYMIME. The memory is valid only until the task
    /// completes. A store that fails (disk full) remembers it and answers at <see cref="CommitAsync"/>.
    /// </summary>
    ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>Makes the message durable and visible. Only after <see cref="StoreOutcome.Stored"/> may the server say 250.</summary>
    ValueTask<StoreOutcome> CommitAsync(CancellationToken ct);
}
