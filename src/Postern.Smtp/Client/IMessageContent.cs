namespace Postern.Smtp.Client;

/// <summary>The content of one message to send, header and body.</summary>
public interface IMessageContent
{
    /// <summary>Octets.</summary>
    long Length { get; }

    /// <summary>
    /// Reads up to the buffer's length from <paramref name="offset"/>; 0 only at the end. May throw: see
    /// <see cref="MessageContentException"/>.
    /// </summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct);
}

/// <summary>Contents that are at hand.</summary>
public static class MessageContent
{
    /// <summary>Content in memory, header and body; read as it is when it is sent.</summary>
    public static IMessageContent From(ReadOnlyMemory<byte> octets) => new InMemory(octets);

    private sealed class InMemory(ReadOnlyMemory<byte> octets) : IMessageContent
    {
        public long Length => octets.Length;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
        {
            var count = (int)Math.Min(buffer.Length, octets.Length - offset);
            octets.Slice((int)offset, count).CopyTo(buffer);
            return new(count);
        }
    }
}

/// <summary>
/// The content could not be read to its end, so the message was not ended either: the connection was cut and the server has nothing.
/// The cause is the inner exception.
/// </summary>
public sealed class MessageContentException : Exception
{
    /// <summary>Without a word of why.</summary>
    public MessageContentException()
    {
    }

    /// <summary>With what could not be read.</summary>
    public MessageContentException(string message)
        : base(message)
    {
    }

    /// <summary>With what could not be read, and why.</summary>
    public MessageContentException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
