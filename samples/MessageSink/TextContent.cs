using System.Text;
using Postern.Smtp.Client;

namespace Samples;

/// <summary>Content that is a string.</summary>
internal sealed class TextContent(string text) : IMessageContent
{
    private readonly byte[] octets = Encoding.ASCII.GetBytes(text);

    public long Length => octets.Length;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
    {
        var part = octets.AsMemory((int)offset);
        part = part[..Math.Min(part.Length, buffer.Length)];
        part.CopyTo(buffer);
        return new(part.Length);
    }
}
