using System.Collections.Immutable;
using System.Globalization;

namespace Postern.Relay.Audit.Events;

/// <summary>A message became durable here.</summary>
/// <param name="Sender">Empty for the null sender.</param>
/// <param name="Size">Octets, with the fields that were added here.</param>
public sealed record AcceptedEvent(
    DateTimeOffset At, EventOrigin Origin, string QueueId, string Sender, ImmutableArray<string> Recipients, long Size)
    : SessionEvent(At, Origin)
{
    /// <summary>Recipients beside those that are named.</summary>
    public int MoreRecipients { get; init; }

    /// <summary>Message-ID as the message has it, of its first such field, or as it was given one here; null without.</summary>
    public string? MessageId { get; init; }

    /// <summary>The first From field, unfolded and not decoded: what its reader sees as the author; null without.</summary>
    public string? HeaderFrom { get; init; }

    /// <summary>The first Subject field, unfolded and not decoded; null without, and unless the log is to have it.</summary>
    public string? Subject { get; init; }

    /// <summary>ENVID=, by which its sender knows it (RFC 3461 §4.4); null when the sender gave none.</summary>
    public string? EnvelopeId { get; init; }

    /// <summary>Where the message came from by the word of a listed peer (XFORWARD); null without one.</summary>
    public string? Forwarded { get; init; }

    /// <summary>
    /// The queue id of the message whose recipients stood for those of this one (<see cref="ExpandedEvent"/>); null for one that came from
    /// a client.
    /// </summary>
    public string? ExpandedFrom { get; init; }

    /// <summary>Null in what older versions wrote.</summary>
    public MessageSource? Source { get; init; }

    /// <summary>The references of the decisions that let it in, where they are known.</summary>
    public ImmutableArray<string> Refs { get; init; } = [];

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Mail;

    internal static EventType Type { get; } = new("accepted", static line =>
        new AcceptedEvent(line.At, line.Origin, line.Text("queue_id"), line.Text("sender"), line.List("recipients"), line.Number("size"))
        {
            MoreRecipients = line.MaybeNumber("more_recipients") ?? 0,
            MessageId = line.Maybe("message_id"),
            HeaderFrom = line.Maybe("header_from"),
            Subject = line.Maybe("subject"),
            EnvelopeId = line.Maybe("envid"),
            Forwarded = line.Maybe("forwarded"),
            ExpandedFrom = line.Maybe("expanded_from"),
            Source = line.MaybeWord<MessageSource>("source"),
            Refs = line.List("refs"),
        });

    internal override string Key => QueueId;

    internal override EventTraits Traits => new()
    {
        Session = Session,
        Client = Client,
        User = User,
        Tenant = Tenant,
        QueueId = QueueId,
        Outcome = Name,
        Sender = Sender,
        Recipients = Recipients,
        MessageId = MessageId,
        BeginsMessage = true,
    };

    private protected override long TextOctets =>
        OriginOctets
        + OctetsOf(Sender, EnvelopeId, Forwarded, MessageId, HeaderFrom, Subject, ExpandedFrom)
        + OctetsOf(Recipients.IsDefault ? [] : Recipients.AsSpan());

    public override string[] ToCells()
    {
        var messageId = MessageId is null ? null : $", Message-ID {MessageId}";
        var from = HeaderFrom is null ? null : $", From {HeaderFrom}";
        var what = string.Create(CultureInfo.InvariantCulture, $"{Size} octets for {RecipientText}{messageId}{from}");
        var expanded = ExpandedFrom is null ? null : $", expanded from {ExpandedFrom}";
        return [Name, QueueId, Sender.Length == 0 ? "<>" : Sender, Client, what + expanded];
    }

    internal override void WriteTo(EventFields fields)
    {
        var recipients = Recipients.IsDefault ? 0 : Recipients.Length;
        var more = MoreRecipients + Math.Max(0, recipients - AuditEvents.MostRecipients);
        fields.Texts(
            ("queue_id", QueueId), ("session", Session), ("listener", Listener), ("client", Client), ("user", User), ("sender", Sender));
        fields.List("recipients", Recipients, AuditEvents.MostRecipients);
        fields.Number("more_recipients", more > 0 ? more : null);
        fields.Number("size", Size);
        fields.Texts(
            ("message_id", MessageId),
            ("header_from", HeaderFrom),
            ("subject", Subject),
            ("tls", Tls),
            ("envid", EnvelopeId),
            ("forwarded", Forwarded));
        fields.Texts(
            ("expanded_from", ExpandedFrom),
            ("tenant", Tenant),
            ("source", EventWord.Of(Source)),
            ("helo", Origin.Helo),
            ("cipher", Origin.Cipher),
            ("sni", Origin.Sni));
        if (!Refs.IsDefaultOrEmpty)
            fields.List("refs", Refs, AuditEvents.MostRecipients);
    }

    private string RecipientText => Recipients.Length + MoreRecipients == 1
        ? Recipients[0]
        : string.Create(CultureInfo.InvariantCulture, $"{Recipients[0]} and {Recipients.Length + MoreRecipients - 1} more");
}

/// <summary>Which way a message came.</summary>
public enum MessageSource
{
    Smtp,
    Lmtp,
    Http,

    /// <summary>This server wrote it.</summary>
    Internal,
}
