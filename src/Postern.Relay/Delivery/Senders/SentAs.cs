using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Senders;

/// <summary>
/// Which sender a recipient's server is told: the one place that says it. Recipients with different ones are sent to in different
/// transactions, at the same next hop too.
/// </summary>
internal static class SentAs
{
    /// <summary>Null for the sender of the envelope.</summary>
    public static Mailbox? Of(Envelope envelope, int recipient, DeliveryOptions options, DateTimeOffset now) =>
        envelope is { Expanded: { Rewritten: { IsEmpty: false } rewritten }, Sender.Mailbox: { } sender } && rewritten.Contains(recipient)
            ? options.Srs?.Rewrite(sender, now)
            : null;
}
