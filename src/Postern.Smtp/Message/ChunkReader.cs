using Postern.Smtp.Transport;

namespace Postern.Smtp.Message;

/// <summary>
/// Moves chunks of a known length from the client to their writer (RFC 3030 §2). Nothing in a chunk is a mark: no dot comes off, no line
/// end is looked for but to refuse or mend the ones that stand alone, and a CRLF may be cut between two chunks.
/// </summary>
internal sealed class ChunkReader(SmtpTransport transport)
{
    private LineEndCheck lineEnds;

    /// <summary>Read so far.</summary>
    public long Octets { get; private set; }

    /// <summary>Reads exactly <paramref name="octets"/>; without a writer they are thrown away. False when the client has left.</summary>
    public async ValueTask<bool> ReadAsync(long octets, ContentWriter? writer, Action beforeWait, CancellationToken ct)
    {
        while (octets > 0)
        {
            if (!transport.HasBufferedInput)
            {
                beforeWait();
                if (!await transport.FillAsync(idle: false, ct))
                    return false;
            }

            var part = transport.Buffered;
            part = part[..(int)Math.Min(part.Length, octets)];
            if (writer is not null)
            {
                Check(part.Span, writer);
                await writer.AppendAsync(part, ct);
            }

            transport.Take(part.Length);
            octets -= part.Length;
            Octets += part.Length;
        }

        return true;
    }

    /// <summary>The last chunk has been read.</summary>
    public void Finish(ContentWriter writer)
    {
        lineEnds.Finish();
        writer.Note(lineEnds.HasBareLineEnd, lineEnds.HasNul);
    }

    private void Check(ReadOnlySpan<byte> part, ContentWriter writer)
    {
        if (writer.Rule != LineEndRule.Reject)
            return;
        lineEnds.Next(part);
        writer.Note(lineEnds.HasBareLineEnd, lineEnds.HasNul);
    }
}
