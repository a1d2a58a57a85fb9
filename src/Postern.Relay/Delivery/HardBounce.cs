using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>A recipient that was refused for a reason that stays: further mail there would fare the same.</summary>
/// <param name="Tenant">Whose message it was; null for nobody's.</param>
/// <param name="Category">A hard one of <see cref="Bounces.BounceCategory"/>.</param>
public sealed record HardBounce(QueueId QueueId, string? Tenant, Mailbox Recipient, string Category, string Reply)
{
    /// <summary>The message's; null where that is not known.</summary>
    public Envelope? Envelope { get; init; }
}
