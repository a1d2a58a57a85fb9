namespace Postern.Relay.Spool;

/// <summary>The content of one message, readable while this is held even if the message is removed meanwhile.</summary>
public interface ISpoolContent : IDisposable
{
    long Length { get; }

    /// <summary>Reads up to the buffer's length from <paramref name="offset"/>; 0 only at the end.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct);
}
