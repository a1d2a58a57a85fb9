using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Envelopes;

/// <summary>
/// What accompanies the content of one message from acceptance to its end: what was said of it, when, and by whom. Never changes once
/// stored.
/// </summary>
public sealed record Envelope
{
    /// <summary>No server takes a time that is over.</summary>
    private static readonly TimeSpan LeastWithin = TimeSpan.FromMinutes(1);

    // Most messages have none, and very many are held: a number of four octets.
    private readonly int keepSeconds;

    public required QueueId Id { get; init; }

    public required DateTimeOffset ArrivedAt { get; init; }

    /// <summary>What the client said, as <see cref="Keep"/> makes it: without the declared size.</summary>
    public required SmtpEnvelope Said { get; init; }

    public ReversePath Sender => Said.Sender;

    /// <summary>At least one; index i of every per-recipient list means this recipient i.</summary>
    public ImmutableArray<Mailbox> Recipients => Said.Recipients;

    public MailParameters Parameters => Said.Parameters;

    /// <summary>BY= (RFC 2852), counted from arrival; null without.</summary>
    public DeliveryDeadline? Deadline => DeliveryDeadline.Of(Said.Parameters.DeliverBy, ArrivedAt);

    /// <summary>The header section holds octets above 127 and was announced as SMTPUTF8 (RFC 6532).</summary>
    public bool HasUtf8Header { get; init; }

    /// <summary>
    /// Taken only because it is for a domain of ours. Nobody vouches for the sender, who may be forged: no report goes there.
    /// </summary>
    public bool IsInbound { get; init; }

    /// <summary>
    /// Whoever submitted it may not send as what its header says of the author: this server does not vouch for the author by a signature.
    /// </summary>
    public bool HasForeignAuthor { get; init; }

    /// <summary>The authorization id of the login that submitted it; null without a login.</summary>
    public string? Login { get; init; }

    /// <summary>Where it came from; null for messages made here, such as bounces.</summary>
    public IPAddress? Client { get; init; }

    /// <summary>
    /// What else is known of the client's session, kept where a route tells its server (<see cref="ClientForward"/>): name, port, HELO,
    /// protocol, and where it connected to. Null where none does, or none did when the message came.
    /// </summary>
    public PeerClaims? ClientSession { get; init; }

    public string? Listener { get; init; }

    /// <summary>Whose it is, of those that share this server; null where it is nobody's in particular.</summary>
    public string? Tenant { get; init; }

    /// <summary>
    /// It goes whatever the receiver's TLS comes to, as a report about that very TLS must (RFC 8460 §3). Only this server says so.
    /// </summary>
    public bool IsTlsOptional { get; init; }

    /// <summary>
    /// Its sender would rather have it there in clear than not at all, whatever the receiver's domain publishes about TLS
    /// (<c>TLS-Required: No</c>, RFC 8689 §3). REQUIRETLS beside it outweighs it.
    /// </summary>
    public bool IsTlsWaived { get; init; }

    /// <summary>What it tells of, where this server wrote it; null for every other message.</summary>
    public ReportOrigin? ReportOf { get; init; }

    /// <summary>It has passed this server before, as its trace says; null where it says no such thing.</summary>
    public EarlierPass? Earlier { get; init; }

    /// <summary>
    /// How long the content is kept when the delivery is over, as it was settled when the message was accepted, in whole seconds; null: it
    /// is not.
    /// </summary>
    public TimeSpan? KeepFor
    {
        get => keepSeconds == 0 ? null : TimeSpan.FromSeconds(keepSeconds);
        init => keepSeconds = (int)Math.Min(value?.TotalSeconds ?? 0, int.MaxValue);
    }

    /// <summary>Its recipients are what recipients of another message stand for; null where somebody named them.</summary>
    public Expansion? Expanded { get; init; }

    /// <summary>The content was announced as 8BITMIME (RFC 6152) or BINARYMIME (RFC 3030).</summary>
    public bool Is8Bit => Parameters.Body != BodyType.SevenBit;

    /// <summary>The release that the sender asked for (RFC 4865); null where it did not.</summary>
    public DateTimeOffset? HeldUntil => Parameters.HoldUntil;

    /// <summary>When its time in the queue begins: arrival, or the release that the sender asked for.</summary>
    public DateTimeOffset ReleasedAt => HeldUntil is { } until && until > ArrivedAt ? until : ArrivedAt;

    public RecipientParameters ParametersOf(int recipient) => Said.ParametersOf(recipient);

    /// <summary>
    /// The same for whoever gets the message in the place of a recipient: whom its sender wrote to stays known, by the parameter that a
    /// relay may add (RFC 3461 §5.2.1 (d)).
    /// </summary>
    public RecipientParameters ParametersInPlaceOf(int recipient)
    {
        var (said, address) = (ParametersOf(recipient), Recipients[recipient]);
        return said.OriginalRecipient is null
            ? said with { OriginalRecipient = new OriginalRecipient(address.IsAscii ? "rfc822" : "utf-8", address.Address) }
            : said;
    }

    /// <summary>
    /// What the next hop is told now: a hold is over when a message is sent, and is not asked for again; of a deadline, what is left. One
    /// of mode R that has passed is one under a clock that was set: it is tried once, with a time that a server takes.
    /// </summary>
    public SmtpEnvelope ForNextHop(DateTimeOffset now)
    {
        if (Parameters is { DeliverBy: null, HoldUntil: null })
            return Said;
        var left = Deadline?.Left(now);
        if (left is { IsNotify: false } && left.Within < LeastWithin)
            left = left with { Within = LeastWithin };
        return Said with { Parameters = Parameters with { DeliverBy = left, HoldUntil = null, HoldFor = null } };
    }

    /// <summary>What of the client's words an envelope keeps. Parameters that nearly every message has are one object for all.</summary>
    public static SmtpEnvelope Keep(SmtpEnvelope said)
    {
        var kept = (said.Parameters.DeclaredSize is null ? said.Parameters : said.Parameters with { DeclaredSize = null }).Shared();
        return ReferenceEquals(kept, said.Parameters) ? said : said with { Parameters = kept };
    }
}

/// <summary>A message as it was named here when it passed before. Anybody can write such a trace, who knows the name.</summary>
public sealed record EarlierPass(QueueId As);

/// <summary>Where recipients come from that aliases, forwards or a list have put in the place of others.</summary>
/// <param name="Of">The message that had those others.</param>
/// <param name="Through">Those others, and names that lists before were expanded from.</param>
public sealed record Expansion(QueueId Of, ImmutableArray<Mailbox> Through)
{
    /// <summary>Recipients that are lists and are expanded in turn; no other is.</summary>
    public ImmutableArray<int> Open { get; init; } = [];

    /// <summary>Recipients that mean the command or the mailbox that an alias names, and not the address.</summary>
    public ImmutableArray<int> Places { get; init; } = [];

    /// <summary>Recipients whose servers are told a rewritten sender (<see cref="Srs"/>), where this server makes such.</summary>
    public ImmutableArray<int> Rewritten { get; init; } = [];
}

/// <summary>Which message a report of this server is about, and what it says of it, in the words of the log.</summary>
public sealed record ReportOrigin(QueueId About, string Reason)
{
    /// <summary>
    /// There are many to the same address: it waits for more of them, and they are sent in one message. False for one that is sent by
    /// itself, and for the message that many were put into.
    /// </summary>
    public bool IsGathered { get; init; }
}

/// <summary>The time by which the sender wants a message delivered (RFC 2852).</summary>
/// <param name="IsNotify">Later delivery is better than none, and the delay is reported; else it is given up at the deadline.</param>
/// <param name="IsTrace">Each server on the way reports that it relayed the message.</param>
public sealed record DeliveryDeadline(DateTimeOffset At, bool IsNotify, bool IsTrace)
{
    public static DeliveryDeadline? Of(DeliverBy? by, DateTimeOffset arrivedAt) =>
        by is null ? null : new(arrivedAt + by.Within, by.IsNotify, by.IsTrace);

    /// <summary>Nothing may be delivered any more.</summary>
    public bool IsOver(DateTimeOffset now) => !IsNotify && now >= At;

    /// <summary>What the next server is told.</summary>
    public DeliverBy Left(DateTimeOffset now) => new(At - now, IsNotify, IsTrace);
}
