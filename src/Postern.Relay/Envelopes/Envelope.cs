using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Envelopes;

/// <summary>What accompanies the content of one message from acceptance to its end. Never changes once stored.</summary>
public sealed record Envelope
{
    public required QueueId Id { get; init; }

    public required DateTimeOffset ArrivedAt { get; init; }

    public required ReversePath Sender { get; init; }

    /// <summary>At least one; index i of every per-recipient list means this recipient i.</summary>
    public required ImmutableArray<Mailbox> Recipients { get; init; }

    /// <summary>The authorization id of the login that submitted it; null without a login.</summary>
    public string? Login { get; init; }

    /// <summary>Where it came from; null for messages made here, such as bounces.</summary>
    public IPAddress? Client { get; init; }

    public string? Listener { get; init; }

    /// <summary>The content was announced as 8BITMIME (RFC 6152).</summary>
    public bool Is8Bit { get; init; }
}
