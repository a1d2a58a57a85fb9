using System.Collections.Immutable;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>What became of a draft.</summary>
public abstract record StoreOutcome
{
    private StoreOutcome()
    {
    }

    /// <summary>Durable, under this id; the reply is <c>250 2.0.0 Queued as id</c>.</summary>
    public sealed record Stored(string Id) : StoreOutcome;

    /// <summary>Not stored, with this 4xx or 5xx reply; nothing of the message remains.</summary>
    public sealed record Refused(Reply Reply) : StoreOutcome;

    /// <summary>
    /// Stored for those recipients whose reply is positive, and for no other. One reply for each of <see cref="Transaction.Recipients"/>, in that
    /// order. LMTP says each (RFC 2033 §4.2); SMTP has one reply, which then is the first that is not positive.
    /// </summary>
    public sealed record PerRecipient(ImmutableArray<Reply> Replies) : StoreOutcome;
}
