using System.Buffers;
using Postern.Relay.Spool;
using Postern.Smtp.Message;

namespace Postern.Relay.Dkim;

/// <summary>The header section of a message in memory, with whatever of the body was read along; the rest is still in the spool.</summary>
internal sealed class ContentHead : IDisposable
{
    private const int FirstBuffer = 32 * 1024;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
    private int filled;
    private int end = -1;

    private ContentHead()
    {
    }

    /// <summary>All fields, with the CRLF of the last.</summary>
    public ReadOnlySpan<byte> Header => buffer.AsSpan(0, end);

    /// <summary>The same, as long as this is not disposed.</summary>
    public ReadOnlyMemory<byte> HeaderOctets => buffer.AsMemory(0, end);

    /// <summary>What was read of the body.</summary>
    public ReadOnlySpan<byte> BodyRead =>
        buffer.AsSpan(end, filled - end) is var rest && rest.StartsWith("\r\n"u8) ? rest[2..] : rest;

    /// <summary>Where in the content the rest of the body begins.</summary>
    public long Next { get; private set; }

    /// <param name="above">Fields that stand above the content.</param>
    public static async ValueTask<ContentHead> ReadAsync(ReadOnlyMemory<byte> above, ISpoolContent content, CancellationToken ct)
    {
        var head = new ContentHead();
        try
        {
            await head.FillAsync(above, content, ct).ConfigureAwait(false);
            return head;
        }
        catch
        {
            head.Dispose();
            throw;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

    private async ValueTask FillAsync(ReadOnlyMemory<byte> above, ISpoolContent content, CancellationToken ct)
    {
        Grow(above.Length + 1);
        above.CopyTo(buffer);
        filled = above.Length;
        var line = 0;
        while (true)
        {
            var read = await content.ReadAsync(Next, buffer.AsMemory(filled), ct).ConfigureAwait(false);
            filled += read;
            Next += read;
            end = HeaderSection.FindEnd(buffer.AsSpan(0, filled), ref line);
            if (end >= 0)
                return;
            if (read == 0)
            {
                end = filled;
                return;
            }

            Grow(filled + 1);
        }
    }

    private void Grow(int octets)
    {
        if (octets <= buffer.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * buffer.Length, octets));
        buffer.AsSpan(0, filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
