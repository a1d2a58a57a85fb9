using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// Reads the chunks of BDAT (RFC 3030 §2): one that was accepted goes to the draft, one that was refused is read all the same and thrown
/// away, and the reply comes behind it. A chunk that fails, fails its transaction: the later ones are thrown away up to LAST or RSET.
/// </summary>
internal sealed class ChunkReception(SmtpSession session, SmtpTransport transport)
{
    private Chunk chunk;
    private Reply? refusal;
    private ChunkReader? reader;
    private long discarded;

    /// <summary>This chunk follows, and this is the answer to it; null: it is wanted.</summary>
    public void Expect(Chunk next, Reply? refused) => (chunk, refusal) = (next, refused);

    public void End() => (reader, discarded) = (null, 0);

    /// <summary>Reads the expected chunk and answers its command. False: the connection has to go.</summary>
    public ValueTask<bool> ReceiveAsync(CancellationToken ct) => refusal is null ? TakeAsync(ct) : DiscardAsync(refusal, ct);

    private async ValueTask<bool> TakeAsync(CancellationToken ct)
    {
        var reception = session.Reception;
        reader ??= new ChunkReader(transport);
        if (!await reader.ReadAsync(chunk.Octets, reception.Writer, reception.SetDeadline, ct))
            return false;
        session.ClearDeadline();
        if (chunk.IsLast)
            reader.Finish(reception.Writer);
        if (reception.Objection is { } objection)
        {
            var step = session.Refuse(Verbs.Bdat.Row.Name, objection.Reply);
            await FailAsync(step.Reply!);
            return step.After == After.ReadCommand;
        }

        if (chunk.IsLast)
        {
            reception.NoteEnd();
            return await reception.ConcludeAsync(Verbs.Bdat.Row, await reception.CommitAsync());
        }

        // A chunk that brings something is content, not one of the commands that are counted.
        if (chunk.Octets > 0)
            session.Uncount();
        await session.SayAsync(StandardReply.ChunkTaken(chunk.Octets));
        return true;
    }

    private async ValueTask<bool> DiscardAsync(Reply reply, CancellationToken ct)
    {
        discarded += chunk.Octets;
        var isReadable = discarded <= session.Limits.MessageOctets + ContentWriter.PatienceOctets;
        if (isReadable)
        {
            var discard = new ChunkReader(transport);
            var begun = session.Server.Clock.GetTimestamp();
            if (!await discard.ReadAsync(
                chunk.Octets, writer: null, () => session.SetDataDeadline(discard.Octets, begun, isWanted: false), ct))
                return false;
            session.ClearDeadline();
        }

        var step = session.Refuse(Verbs.Bdat.Row.Name, reply);
        await FailAsync(step.Reply!);
        return isReadable && step.After == After.ReadCommand && reply.Code != 421;
    }

    /// <summary>The transaction, if there is one, has failed; LAST also ends it, with as many replies as if it had not.</summary>
    private async ValueTask FailAsync(Reply reply)
    {
        var replies = 1;
        if (session.State.Transaction is { } transaction)
        {
            if (session.Reception.IsOpen)
                session.Server.Events.OnReceived(session.State, transaction, session.Reception.Octets, new StoreOutcome.Refused(reply));
            if (chunk.IsLast)
            {
                replies = FinalReplies.Count(session.State, transaction);
                await session.EndTransactionAsync();
            }

            await session.Reception.EndAsync();
            session.State.Phase = chunk.IsLast ? Phase.Ready : Phase.Bdat;
        }

        while (replies-- > 0)
            await session.SayAsync(reply);
    }
}
