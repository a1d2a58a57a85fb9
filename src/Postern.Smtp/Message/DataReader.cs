using Postern.Smtp.Transport;

namespace Postern.Smtp.Message;

/// <summary>
/// Moves the content that follows DATA from the client to its writer, part by part: never whole in memory, never past the size limit.
/// What ends the data and which dots come off is judged on what the client sent, the same way under every rule for line ends: only behind
/// CRLF. So <c>LF . CRLF</c> is content, and where lone line ends become CRLF it becomes a line with one dot, which whoever sends it on
/// stuffs; and <c>LF . .</c> keeps both its dots.
/// </summary>
internal sealed class DataReader(SmtpTransport transport, ContentWriter writer)
{
    private DotUnstuffer unstuffer = new();

    /// <summary>
    /// Reads to the end of data. <paramref name="beforeWait"/> is called before each wait for the client, to set its deadline.
    /// </summary>
    public async ValueTask<DataEnd> ReadAsync(Action beforeWait, CancellationToken ct)
    {
        while (true)
        {
            if (!transport.HasBufferedInput || !await TakeRunAsync(ct))
            {
                if (unstuffer.IsComplete)
                    return Judge();
                if (writer.IsEndless)
                    return DataEnd.Endless;
                beforeWait();
                if (!await transport.FillAsync(idle: false, ct))
                    return DataEnd.Closed;
            }
        }
    }

    /// <summary>Takes one run; false when the buffered input holds nothing more that can be judged.</summary>
    private async ValueTask<bool> TakeRunAsync(CancellationToken ct)
    {
        var input = transport.Buffered;
        unstuffer.Next(input.Span, out var skip, out var length, out var after);
        writer.Note(unstuffer.HasBareLineEnd, unstuffer.HasNul);
        if (length > 0)
            await writer.AppendAsync(input.Slice(skip, length), ct);
        transport.Take(skip + length + after);
        return skip + length + after > 0 && !unstuffer.IsComplete;
    }

    private DataEnd Judge() =>
        writer.HasBareLineEnd ? DataEnd.BareLineEnd
        : writer.HasNul ? DataEnd.Nul
        : writer.IsTooBig ? DataEnd.TooBig
        : DataEnd.Complete;
}
