using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// The content of one transaction on its way into a draft: opened by DATA or the first BDAT, committed at its end. One for each session.
/// </summary>
internal sealed class MessageReception(SmtpSession session, SmtpTransport transport)
{
    private IMessageDraft? draft;
    private ContentWriter? writer;
    private Action? beforeWait;
    private long begun;
    private long ended;

    /// <summary>A draft is open and takes content.</summary>
    public bool IsOpen => draft is not null;

    /// <summary>Of the open draft.</summary>
    public ContentWriter Writer => writer!;

    /// <summary>Octets in the open draft.</summary>
    public long Octets => writer?.Octets ?? 0;

    /// <summary>Asks the store for a draft, once a transaction. Null: it is open; else what to answer instead.</summary>
    public async ValueTask<Step?> BeginAsync(CancellationToken ct)
    {
        var transaction = session.State.Transaction!;
        switch (await session.Server.Store.BeginAsync(session.State, transaction, ct))
        {
            case DraftAnswer.Open(var opened):
                draft = opened;
                writer = new ContentWriter(opened, session.Limits.MessageOctets, RuleFor(transaction));
                begun = session.Server.Clock.GetTimestamp();
                return null;
            case DraftAnswer.Refuse(var reply):
                return new Step(reply);
            default:
                return new Step(StandardReply.InternalError, After: After.Close);
        }
    }

    /// <summary>For the next part of the content, be it octets or the next chunk's command.</summary>
    public void SetDeadline() => session.SetDataDeadline(Octets, begun);

    /// <summary>Gives the draft up, if there is one: what was not committed leaves nothing behind.</summary>
    public async ValueTask EndAsync()
    {
        writer = null;
        if (draft is { } open)
        {
            draft = null;
            await open.DisposeAsync();
        }
    }

    /// <summary>The content that follows DATA, up to the lone dot. False: the connection has to go.</summary>
    public async ValueTask<bool> ReceiveMessageAsync(CancellationToken ct)
    {
        var end = await new DataReader(transport, Writer).ReadAsync(beforeWait ??= SetDeadline, ct);
        session.ClearDeadline();
        if (end == DataEnd.Closed)
            return false;
        NoteEnd();
        var stays = await ConcludeAsync(Verbs.Data.Row, Objection ?? await CommitAsync());
        return stays && end != DataEnd.Endless;
    }

    /// <summary>Its last octet is there.</summary>
    public void NoteEnd()
    {
        if (session.Service.Instruments.TimesAcceptance)
            ended = session.Server.Clock.GetTimestamp();
    }

    /// <summary>What is wrong with the content so far.</summary>
    public StoreOutcome.Refused? Objection =>
        Writer.HasBareLineEnd ? new StoreOutcome.Refused(StandardReply.BareLineEnd)
        : Writer.HasNul ? new StoreOutcome.Refused(StandardReply.NulInMessage)
        : Writer.IsTooBig ? new StoreOutcome.Refused(StandardReply.SizeLimit(session.Limits.MessageOctets))
        : null;

    /// <summary>The store's answer; without it, where the login that sends does not hold any more, or the session is to end.</summary>
    public async ValueTask<StoreOutcome> CommitAsync() =>
        session.BeginCommit() is { } farewell ? new StoreOutcome.Refused(farewell)
        : await session.ReviewLoginAsync(CancellationToken.None) is { } objection ? new StoreOutcome.Refused(objection)
        : await draft!.CommitAsync(CancellationToken.None);

    /// <summary>The content is at its end: says what became of it, and ends the transaction. False: the connection has to go.</summary>
    public async ValueTask<bool> ConcludeAsync(Verb verb, StoreOutcome outcome)
    {
        var transaction = session.State.Transaction!;
        session.Server.Events.OnReceived(session.State, transaction, Octets, outcome);
        await session.EndTransactionAsync();
        session.State.Phase = Phase.Ready;
        var (stays, isCounted) = (true, false);
        for (var i = 0; i < FinalReplies.Count(session.State, transaction); i++)
        {
            var reply = session.State.IsLmtp ? FinalReplies.For(transaction, i, outcome) : FinalReplies.ForAll(outcome);
            if (reply.IsPositive)
            {
                session.CountAnew();
                session.Service.Instruments.Answered(verb.Name, reply.Code);
            }
            else if (isCounted)
            {
                // One refusal too many is said to every recipient that is refused with it.
                reply = stays ? reply : StandardReply.TooManyErrors;
                session.Server.Events.OnRefused(session.State, verb.Name, reply);
            }
            else
            {
                (reply, isCounted) = (session.Refuse(verb.Name, reply).Reply!, true);
            }

            await session.SayAsync(reply);
            stays &= reply.Code != 421;
        }

        if (outcome is StoreOutcome.Stored && ended != 0 && session.Service.Instruments.TimesAcceptance)
            session.Service.Instruments.Stored(session.State.IsLmtp, session.Server.Clock.GetElapsedTime(ended));
        session.EndCommit();
        return stays;
    }

    private LineEndRule RuleFor(Transaction transaction) =>
        transaction.Parameters.Body == BodyType.BinaryMime ? LineEndRule.Keep
        : session.Service.Options.BareNewlines == BareNewlines.Normalize ? LineEndRule.Normalize
        : LineEndRule.Reject;
}

/// <summary>
/// What is said at the end of a message: by SMTP once, by LMTP once for each accepted RCPT, in their order (RFC 2033 §4.2).
/// </summary>
internal static class FinalReplies
{
    public static int Count(SessionState session, Transaction transaction) => session.IsLmtp ? Math.Max(1, transaction.Accepted.Count) : 1;

    /// <summary>
    /// The one reply of SMTP. Where a store took the message for some recipients only, the client is told of the first it was not taken
    /// for, and may send it again: a second copy is better than none.
    /// </summary>
    public static Reply ForAll(StoreOutcome outcome) => outcome switch
    {
        StoreOutcome.Stored(var id) => StandardReply.Queued(id),
        StoreOutcome.Refused(var reply) => reply,
        StoreOutcome.PerRecipient(var replies) => replies.FirstOrDefault(static r => !r.IsPositive) ?? replies[0],
        _ => StandardReply.InternalError,
    };

    /// <summary>The reply to the accepted RCPT at <paramref name="index"/>; a mailbox that was said twice gets its answer twice.</summary>
    public static Reply For(Transaction transaction, int index, StoreOutcome outcome) =>
        outcome is StoreOutcome.PerRecipient(var replies) ? replies[transaction.Accepted[index]] : ForAll(outcome);
}
