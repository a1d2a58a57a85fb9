using System.Collections.Immutable;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>Takes responsibility for messages.</summary>
public interface IMessageStore
{
    /// <summary>
    /// What this store does with what clients may ask beyond envelope and content; EHLO offers no more than that. Read once, at start.
    /// A store that says nothing promises nothing.
    /// </summary>
    StoreFeatures Honours => StoreFeatures.None;

    /// <summary>
    /// Asked at DATA, before 354, and at the first BDAT of a transaction. Answers a draft to write into, or a refusal such as 452 4.3.1
    /// when there is no room. The session and the transaction stay valid until the draft is disposed.
    /// </summary>
    ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct);

    /// <summary>
    /// Asked at MAIL, where the message is to be held (<see cref="MailParameters.HoldUntil"/>): a refusal such as 552 5.7.16 where there is
    /// no room for more such mail of this user (RFC 4865 §5.3); null to go on.
    /// </summary>
    ValueTask<Reply?> WhyNotHeldAsync(SessionState session, MailParameters parameters, CancellationToken ct) => default;
}

/// <summary>
/// A message on its way in. Disposed without a commit, it leaves nothing behind. Used by one session at a time.
/// </summary>
public interface IMessageDraft : IAsyncDisposable
{
    /// <summary>
    /// Takes the next octets of the content: dot-unstuffed, cut anywhere. Every CR and LF in it is part of a CRLF,
    /// unless the transaction is one of BODY=BINARYMIME. The memory is valid only until the task
    /// completes. A store that fails (disk full) remembers it and answers at <see cref="CommitAsync"/>.
    /// </summary>
    ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>Makes the message durable and visible. Only after <see cref="StoreOutcome.Stored"/> may the server say 250.</summary>
    ValueTask<StoreOutcome> CommitAsync(CancellationToken ct);
}

/// <summary>The store's answer at DATA.</summary>
public abstract record DraftAnswer
{
    private DraftAnswer()
    {
    }

    /// <summary>The content may come. The session disposes <paramref name="Draft"/>.</summary>
    public sealed record Open(IMessageDraft Draft) : DraftAnswer;

    /// <summary>Not now or not this one; the client reads <paramref name="Reply"/> before it has sent the content.</summary>
    public sealed record Refuse(Reply Reply) : DraftAnswer;
}

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
    /// Stored for those recipients whose reply is positive, and for no other. One reply for each of <see cref="Transaction.Recipients"/>,
    /// in that order. LMTP says each (RFC 2033 §4.2); SMTP has one reply, which then is the first that is not positive.
    /// </summary>
    public sealed record PerRecipient(ImmutableArray<Reply> Replies) : StoreOutcome;
}

/// <summary>
/// What a store does beyond keeping content. Each is a promise to clients: an extension that needs one is offered only where the store says
/// that it keeps it. There is no "all", for a store cannot promise what it does not know yet.
/// </summary>
[Flags]
public enum StoreFeatures
{
    /// <summary>Keeps sender, recipients and content.</summary>
    None = 0,

    /// <summary>Reports success, failure and delay as NOTIFY, RET, ENVID and ORCPT ask, and passes them on (RFC 3461).</summary>
    DeliveryReports = 1,

    /// <summary>Takes UTF-8 in addresses and header fields, and hands such a message only to those who take it too (RFC 6531).</summary>
    Utf8 = 2,

    /// <summary>Passes a message with REQUIRETLS on over verified TLS to servers that promise the same, or not at all (RFC 8689).</summary>
    RequireTls = 4,

    /// <summary>Gives up or reports a message that was not delivered within BY= (RFC 2852).</summary>
    DeliverBy = 8,

    /// <summary>Holds a message until HOLDUNTIL= (RFC 4865).</summary>
    Hold = 16,

    /// <summary>Takes content without a line structure, octet for octet (RFC 3030).</summary>
    Binary = 32,

    /// <summary>Delivers a message of higher MT-PRIORITY before others, and passes the priority on (RFC 6710).</summary>
    Priority = 64,
}
