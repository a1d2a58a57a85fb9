using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Dialogue;

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
