using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>One message that is one claimant's to deliver. Immutable.</summary>
/// <param name="Entry">The message as it stood when it was claimed.</param>
/// <param name="Fence">
/// Goes with every word on the message. Once somebody else has changed the message, or has it, words with an older number are refused.
/// </param>
/// <param name="LeaseEnd">Another may take it after this time, unless <see cref="ISpoolClaims.RenewAsync"/> comes before.</param>
public sealed record SpoolClaim(SpoolEntry Entry, long Fence, DateTimeOffset LeaseEnd)
{
    public QueueId Id => Entry.Envelope.Id;

    /// <summary>What became of a claimant's word on a message.</summary>
    public enum Answer
    {
        /// <summary>It counts.</summary>
        Done,

        /// <summary>
        /// The message was changed meanwhile, or is another's: nothing was written. <see cref="ISpoolClaims.ClaimAsync"/> tells how it
        /// stands.
        /// </summary>
        Stale,

        /// <summary>It is no longer in the spool.</summary>
        Gone,
    }

    /// <summary>A claimed message, and the state that it has from now on.</summary>
    public readonly record struct Settled(SpoolClaim Claim, DeliveryState Changed);

    /// <param name="Claims">What is the claimant's now.</param>
    /// <param name="Next">When something that is not claimed will be due; null where nothing will, or a shelf was asked for.</param>
    public sealed record Batch(IReadOnlyList<SpoolClaim> Claims, DateTimeOffset? Next);
}
