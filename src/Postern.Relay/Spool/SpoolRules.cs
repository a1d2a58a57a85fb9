using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>What every spool asks of its callers.</summary>
internal static class SpoolRules
{
    /// <summary>Of claims in a spool that one process has for itself: only claims that this process forgot can outlive it.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromHours(1);

    /// <exception cref="ArgumentException">No recipient, or not one state for each.</exception>
    public static void Check(Envelope envelope, DeliveryState state)
    {
        if (envelope.Recipients.IsDefaultOrEmpty)
            throw new ArgumentException($"Message {envelope.Id} has no recipient", nameof(envelope));
        if (state.Recipients.Length != envelope.Recipients.Length)
            throw new ArgumentException(
                $"Message {envelope.Id} has {envelope.Recipients.Length} recipients and {state.Recipients.Length} states", nameof(state));
    }
}
