using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Envelopes;

/// <summary>What accompanies the content of one message from acceptance to its end. Never changes once stored.</summary>
public sealed record Envelope
{
    private static readonly MailParameters EightBit = new() { Body = BodyType.EightBitMime };

    public required QueueId Id { get; init; }

    public required DateTimeOffset ArrivedAt { get; init; }

    public required ReversePath Sender { get; init; }

    /// <summary>At least one; index i of every per-recipient list means this recipient i.</summary>
    public required ImmutableArray<Mailbox> Recipients { get; init; }

    /// <summary>What MAIL said. Without the declared size; and without <see cref="MailParameters.DeliverBy"/>, which has become <see cref="Deadline"/>.</summary>
    public MailParameters Parameters { get; init; } = MailParameters.None;

    /// <summary>What RCPT said, one for each recipient; empty where none said anything.</summary>
    public ImmutableArray<RecipientParameters> RecipientParameters { get; init; } = [];

    /// <summary>BY= (RFC 2852), counted from arrival; null without.</summary>
    public DeliveryDeadline? Deadline { get; init; }

    /// <summary>The header section holds octets above 127 and was announced as SMTPUTF8 (RFC 6532).</summary>
    public bool HasUtf8Header { get; init; }

    /// <summary>
    /// Taken only because it is for a domain of ours. Nobody vouches for the sender, who may be forged: no report goes there.
    /// </summary>
    public bool IsInbound { get; init; }

    /// <summary>The authorization id of the login that submitted it; null without a login.</summary>
    public string? Login { get; init; }

    /// <summary>Where it came from; null for messages made here, such as bounces.</summary>
    public IPAddress? Client { get; init; }

    public string? Listener { get; init; }

    /// <summary>Whose it is, of those that share this server; null where it is nobody's in particular.</summary>
    public string? Tenant { get; init; }

    /// <summary>The content was announced as 8BITMIME (RFC 6152) or BINARYMIME (RFC 3030).</summary>
    public bool Is8Bit => Parameters.Body != BodyType.SevenBit;

    /// <summary>When its time in the queue begins: arrival, or the release that the sender asked for (RFC 4865).</summary>
    public DateTimeOffset ReleasedAt => Parameters.HoldUntil is { } until && until > ArrivedAt ? until : ArrivedAt;

    public RecipientParameters ParametersOf(int recipient) => RecipientParameters.IsEmpty ? Smtp.Session.RecipientParameters.None : RecipientParameters[recipient];

    /// <summary>What of MAIL's parameters an envelope keeps. Those that nearly every message has are one object for all.</summary>
    public static MailParameters Keep(MailParameters said)
    {
        var kept = said with { DeclaredSize = null, DeliverBy = null };
        return kept == MailParameters.None ? MailParameters.None : kept == EightBit ? EightBit : kept;
    }
}
