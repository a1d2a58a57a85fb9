namespace Postern.Smtp.Client;

/// <summary>The content of one message to send, header and body.</summary>
public interface IMessageContent
{
    /// <summary>Octets.</summary>
    long Length { get; }

    /// <summary>Reads up to the buffer's length from <paramref name="offset"/>; 0 only at the end. May throw: see <see cref="MessageContentException"/>.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct);
}
