using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Session;

/// <summary>Receives the content of a transaction into a draft, has it committed, and says what became of it. One for each session.</summary>
internal sealed class MessageReception(SmtpSession session, SmtpTransport transport)
{
    private IMessageDraft? draft;

    /// <summary>A store has opened this draft for the content that follows.</summary>
    public void Begin(IMessageDraft opened) => draft = opened;

    /// <summary>Gives the draft up, if there is one: what was not committed leaves nothing behind.</summary>
    public async ValueTask EndAsync()
    {
        if (draft is { } open)
        {
            draft = null;
            await open.DisposeAsync();
        }
    }

    /// <summary>The content that follows DATA, up to the lone dot. False: the connection has to go.</summary>
    public async ValueTask<bool> ReceiveMessageAsync(CancellationToken ct)
    {
        var transaction = session.State.Transaction!;
        var events = session.Server.Events;
        var reader = new DataReader(transport, session.Limits.MessageOctets);
        var begun = session.Server.Clock.GetTimestamp();
        var end = await reader.ReadAsync(draft!, () => session.SetDataDeadline(reader.Octets, begun), ct);
        session.ClearDeadline();
        if (end == DataEnd.Closed)
            return false;

        var outcome = end switch
        {
            DataEnd.Complete => await draft!.CommitAsync(CancellationToken.None),
            DataEnd.BareLineEnd => new StoreOutcome.Refused(StandardReply.BareLineEnd),
            _ => new StoreOutcome.Refused(StandardReply.SizeLimit(session.Limits.MessageOctets)),
        };
        var reply = outcome switch
        {
            StoreOutcome.Stored(var id) => StandardReply.Queued(id),
            StoreOutcome.Refused(var refusal) => refusal,
            _ => StandardReply.InternalError,
        };
        events.OnReceived(session.State, transaction, reader.Octets, outcome);
        if (reply.IsPositive)
            session.CountAnew();
        else
            events.OnRefused(session.State, Verbs.Data.Row.Name, reply);
        await session.EndTransactionAsync();
        session.State.Phase = Phase.Ready;
        await session.SayAsync(reply);
        return end != DataEnd.Endless && reply.Code != 421;
    }
}
