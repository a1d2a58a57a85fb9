using Postern.Smtp.Transport;

namespace Postern.Smtp.Message;

/// <summary>
/// Moves the content of one message from the client into a draft, chunk by chunk: never whole in memory, never past the size limit.
/// </summary>
internal sealed class DataReader(SmtpTransport transport, long maxOctets)
{
    /// <summary>How far past the limit a client is read, so that it can be told 552, before the connection is dropped.</summary>
    private const long PatienceOctets = 64L * 1024 * 1024;

    private DotUnstuffer unstuffer = new();

    /// <summary>Content octets so far, stuffed dots taken off.</summary>
    public long Octets { get; private set; }

    /// <summary>Reads to the end of data. <paramref name="beforeWait"/> is called before each wait for the client, to set its deadline.</summary>
    public async ValueTask<DataEnd> ReadAsync(IMessageDraft draft, Action beforeWait, CancellationToken ct)
    {
        while (true)
        {
            if (!transport.HasBufferedInput || !await TakeRunAsync(draft, ct))
            {
                if (unstuffer.IsComplete)
                    return Judge();
                if (Octets > maxOctets + PatienceOctets)
                    return DataEnd.Endless;
                beforeWait();
                if (!await transport.FillAsync(idle: false, ct))
                    return DataEnd.Closed;
            }
        }
    }

    /// <summary>Takes one run; false when the buffered input holds nothing more that can be judged.</summary>
    private async ValueTask<bool> TakeRunAsync(IMessageDraft draft, CancellationToken ct)
    {
        var input = transport.Buffered;
        unstuffer.Next(input.Span, out var skip, out var length, out var after);
        if (length > 0)
        {
            Octets += length;
            if (Octets <= maxOctets && !unstuffer.HasBareLineEnd)
                await draft.AppendAsync(input.Slice(skip, length), ct);
        }

        transport.Take(skip + length + after);
        return skip + length + after > 0 && !unstuffer.IsComplete;
    }

    private DataEnd Judge() =>
        unstuffer.HasBareLineEnd ? DataEnd.BareLineEnd
        : Octets > maxOctets ? DataEnd.TooBig
        : DataEnd.Complete;
}
