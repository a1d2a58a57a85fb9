namespace Postern.Smtp.Client;

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
