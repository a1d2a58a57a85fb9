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
        envelope.Sender.Mailbox is not { } sender ? null
        : envelope.Parameters.Verp is { } delimiters ? Verp.Of(sender, envelope.Recipients[recipient], delimiters)
        : envelope.Expanded is { Rewritten: { IsEmpty: false } rewritten } && rewritten.Contains(recipient)
            ? options.Srs?.Rewrite(sender, now)
        : null;

    /// <summary>
    /// The envelope as its report to the sender about one recipient has it: where each has a sender of its own, the report goes to that.
    /// </summary>
    public static Envelope Reported(Envelope envelope, Mailbox recipient) =>
        envelope is { Parameters.Verp: { } delimiters, Sender.Mailbox: { } sender } && Verp.Of(sender, recipient, delimiters) is { } own
            ? envelope with { Said = envelope.Said with { Sender = new ReversePath(own) } }
            : envelope;
}
