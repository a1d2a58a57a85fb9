using System.Buffers;

namespace Postern.Smtp.Client;

/// <summary>
/// Sends content by BDAT (RFC 3030), octet for octet. Where the server pipelines, the next chunk leaves before the last is answered, and no
/// more: a refusal costs one chunk.
/// </summary>
internal sealed class ChunkSender(ClientWire wire, SmtpClientOptions options)
{
    private const int ChunkOctets = 512 * 1024;
    private const int PieceOctets = 32 * 1024;

    /// <summary>Null when the last chunk is on its way and all before it were taken: what it is answered is to be read.</summary>
    /// <param name="read">Reads content; throws where it cannot.</param>
    public async ValueTask<ClientAnswer?> SendAsync(
        OutgoingMessage message, bool pipelines, Func<OutgoingMessage, long, Memory<byte>, ValueTask<int>> read)
    {
        var length = message.Content.Length;
        var unanswered = 0;
        long offset = 0;
        ClientAnswer? refusal = null;
        var isLast = false;
        while (!isLast && refusal is null)
        {
            var size = Math.Min(ChunkOctets, length - offset);
            isLast = offset + size == length;
            wire.Output.Append("BDAT "u8);
            wire.Output.Append(size, maxLength: 20);
            wire.Output.Append(isLast ? " LAST\r\n"u8 : "\r\n"u8);
            if (!await ChunkAsync(message, offset, size, isLast, read).ConfigureAwait(false))
                return await BrokenAsync().ConfigureAwait(false);
            offset += size;
            unanswered++;
            while (refusal is null && !isLast && unanswered > (pipelines ? 1 : 0))
            {
                unanswered--;
                refusal = await RefusalAsync(ClientPhase.Content).ConfigureAwait(false);
            }
        }

        for (var chunks = isLast ? unanswered - 1 : unanswered; chunks > 0; chunks--)
        {
            var answer = await RefusalAsync(ClientPhase.Content).ConfigureAwait(false);
            refusal ??= answer;
        }

        if (isLast && refusal is not null)
        {
            // By LMTP nobody knows how many answers a last chunk gets behind one that was refused: the connection has served its time.
            if (options.IsLmtp)
                wire.Break(ClientPhase.Content, ClientFault.ProtocolError, "a chunk was refused before the last");
            else
                await wire.ReadAsync(ClientPhase.EndOfData, options.Timeouts.EndOfData).ConfigureAwait(false);
        }

        return refusal;
    }

    private async ValueTask<bool> ChunkAsync(
        OutgoingMessage message, long from, long size, bool isLast, Func<OutgoingMessage, long, Memory<byte>, ValueTask<int>> read)
    {
        var piece = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(size, 1, PieceOctets));
        try
        {
            for (long done = 0; done < size;)
            {
                var count = await read(message, from + done, piece.AsMemory(0, (int)Math.Min(piece.Length, size - done)))
                    .ConfigureAwait(false);
                wire.Output.Append(piece.AsSpan(0, count));
                done += count;
                if (isLast && done == size)
                    wire.BeginEnd();
                if (done < size && !await wire.FlushAsync(ClientPhase.Content, options.Timeouts.DataBlock).ConfigureAwait(false))
                    return false;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        // A write that fails may have carried the last octet all the same.
        return await wire.FlushAsync(isLast ? ClientPhase.EndOfData : ClientPhase.Content, options.Timeouts.DataBlock)
            .ConfigureAwait(false);
    }

    private async ValueTask<ClientAnswer?> RefusalAsync(ClientPhase phase) =>
        wire.WhyNot(await wire.ReadAsync(phase, options.Timeouts.DataBlock).ConfigureAwait(false), phase);

    private async ValueTask<ClientAnswer> BrokenAsync() =>
        await wire.LastWordsAsync().ConfigureAwait(false) is { Code: >= 400 } words
            ? new ClientAnswer.Refused(ClientPhase.Content, words)
            : wire.Fault!;
}
