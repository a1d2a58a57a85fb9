using System.Text;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Reports;

/// <summary>What a report returns of the original: all of it, or its header section.</summary>
internal sealed record ReturnedContent(ReadOnlyMemory<byte> Octets, bool IsFull)
{
    /// <summary>RET=FULL returns a message up to this size; of a larger one its header.</summary>
    public const int MaxFullOctets = 1024 * 1024;

    private const int MaxHeaderOctets = 32 * 1024;

    public bool Is8Bit => !Ascii.IsValid(Octets.Span);

    /// <summary>The header is cut at a line's end when it is long; empty when the content is damaged or gone.</summary>
    public static async ValueTask<ReturnedContent> ReadAsync(ISpool spool, QueueId id, bool wantsFull, CancellationToken ct)
    {
        try
        {
            using var content = await spool.OpenContentAsync(id, ct).ConfigureAwait(false);
            if (content is null)
                return new ReturnedContent(Octets: default, IsFull: false);
            var isFull = wantsFull && content.Length <= MaxFullOctets;
            var buffer = new byte[(int)Math.Min(isFull ? MaxFullOctets : MaxHeaderOctets, content.Length)];
            var length = 0;
            while (length < buffer.Length
                && await content.ReadAsync(length, buffer.AsMemory(length), ct).ConfigureAwait(false) is > 0 and var read)
                length += read;
            return new ReturnedContent(buffer.AsMemory(0, isFull ? length : HeaderLength(buffer.AsSpan(0, length))), isFull);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return new ReturnedContent(Octets: default, IsFull: false);
        }
    }

    private static int HeaderLength(ReadOnlySpan<byte> content)
    {
        var end = content.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            end = content.LastIndexOf("\r\n"u8);
        return end < 0 ? content.Length : end + 2;
    }
}
