using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// A message as it is handed to one recipient at its end: Return-Path (RFC 5321 §4.4) and Delivered-To above it, and the line ends of this
/// machine. Content that is binary (BODY=BINARYMIME) keeps its octets.
/// </summary>
internal sealed class PlaceContent(OutgoingMessage message, Mailbox recipient)
{
    private const byte CarriageReturn = (byte)'\r';
    private const byte LineFeed = (byte)'\n';

    private readonly bool isBinary = message.Parameters.Body == BodyType.BinaryMime;
    private ReadOnlyMemory<byte> header =
        Encoding.UTF8.GetBytes($"Return-Path: <{message.Sender.Mailbox?.Address}>\nDelivered-To: {recipient.Address}\n");

    private long offset;
    private bool isReturnHeld;

    /// <summary>Fills some of the buffer, which has room for two octets at least; 0 at the end.</summary>
    /// <exception cref="MessageContentException">The content cannot be read.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct)
    {
        if (!header.IsEmpty)
        {
            var first = header[..Math.Min(header.Length, buffer.Length)];
            first.CopyTo(buffer);
            header = header[first.Length..];
            return first.Length;
        }

        while (offset < message.Content.Length)
        {
            // One octet is left free for a CR that was held back.
            var part = buffer[1..];
            var read = await ReadContentAsync(part, ct).ConfigureAwait(false);
            offset += read;
            if (isBinary)
            {
                part[..read].CopyTo(buffer);
                return read;
            }

            if (Mend(buffer.Span, part.Span[..read]) is var count and > 0)
                return count;
        }

        if (!isReturnHeld)
            return 0;
        isReturnHeld = false;
        buffer.Span[0] = CarriageReturn;
        return 1;
    }

    /// <summary>Makes LF of CRLF, across the borders of what is read at a time.</summary>
    private int Mend(Span<byte> to, ReadOnlySpan<byte> from)
    {
        var count = 0;
        foreach (var octet in from)
        {
            if (isReturnHeld && octet != LineFeed)
                to[count++] = CarriageReturn;
            isReturnHeld = octet == CarriageReturn;
            if (!isReturnHeld)
                to[count++] = octet;
        }

        return count;
    }

    private async ValueTask<int> ReadContentAsync(Memory<byte> part, CancellationToken ct)
    {
        try
        {
            var most = (int)Math.Min(part.Length, message.Content.Length - offset);
            return await message.Content.ReadAsync(offset, part[..most], ct).ConfigureAwait(false) is var read and > 0
                ? read
                : throw new EndOfStreamException($"The content ends at {offset} of {message.Content.Length} octets");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new MessageContentException($"The content cannot be read: {e.Message}", e);
        }
    }
}
