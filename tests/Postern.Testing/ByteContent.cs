using System.Text;
using Postern.Smtp.Client;

namespace Postern.Testing;

/// <summary>Content in memory, read in pieces of at most a given size.</summary>
public sealed class ByteContent(byte[] octets, int piece = int.MaxValue) : IMessageContent
{
    public ByteContent(string text)
        : this(Encoding.Latin1.GetBytes(text))
    {
    }

    public long Length => octets.Length;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
    {
        var count = (int)Math.Min(Math.Min(buffer.Length, piece), octets.Length - offset);
        octets.AsMemory((int)offset, count).CopyTo(buffer);
        return new ValueTask<int>(count);
    }
}
