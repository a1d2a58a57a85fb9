using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

/// <summary>
/// The messages that one claimant works on: nobody else is given them as long as its lease lasts. Disposing gives them all back. All
/// members may be called from any thread.
/// </summary>
public interface ISpoolClaims : IAsyncDisposable
{
    /// <summary>How long the claims last without <see cref="RenewAsync"/>, by a clock that nobody sets.</summary>
    TimeSpan Lease { get; }

    /// <summary>Lets the lease of all claims begin anew. False when it had ended and others may have taken some.</summary>
    ValueTask<bool> RenewAsync(CancellationToken ct);

    /// <summary>
    /// Claims what is due at <paramref name="now"/> and nobody's, the oldest first; also what another claimant had whose lease is over.
    /// What was never tried and what was may take turns.
    /// </summary>
    /// <param name="shelf">Claims from this shelf instead, in the order in which it was filled; null for what is on none.</param>
    ValueTask<SpoolClaim.Batch> ClaimDueAsync(DateTimeOffset now, int most, string? shelf, CancellationToken ct);

    /// <summary>
    /// Claims one message whatever its time, or learns how one of its own stands now, with a number that is good again; null when it is
    /// another's or gone.
    /// </summary>
    ValueTask<SpoolClaim?> ClaimAsync(QueueId id, CancellationToken ct);

    /// <summary>
    /// Claims those of these messages that nobody has and that are not held, whatever their time, also from shelves. What is another's, or
    /// the claimant's already, is left as it is.
    /// </summary>
    ValueTask<IReadOnlyList<SpoolClaim>> ClaimFreeAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct);

    /// <summary>Replaces the delivery state; done when it is durable. The claim stays, with its number.</summary>
    /// <exception cref="IOException">The disk failed; the old state is in force.</exception>
    ValueTask<SpoolClaim.Answer> RecordAsync(SpoolClaim claim, DeliveryState state, CancellationToken ct);

    /// <summary>
    /// Makes a draft durable and visible, and replaces the delivery state of a claimed message, both or neither, whatever happens: a report
    /// and what it tells of are one fact. The claim stays, with its number. <see cref="SpoolCommit.Outdated"/> where the claim does not
    /// count.
    /// </summary>
    /// <param name="changed">The new state of the claimed message.</param>
    /// <param name="draft">Of the same spool; <paramref name="envelope"/> and <paramref name="state"/> are its own.</param>
    ValueTask<SpoolCommit> CommitAsync(
        SpoolClaim claim, DeliveryState changed, ISpoolDraft draft, Envelope envelope, DeliveryState state, CancellationToken ct) =>
        CommitAsync([new SpoolClaim.Settled(claim, changed)], draft, envelope, state, ct);

    /// <summary>
    /// The same, for a draft that tells of several claimed messages: it and all their new states, or nothing.
    /// <see cref="SpoolCommit.Outdated"/> where one of the claims does not count.
    /// </summary>
    /// <param name="settled">At least one, each of another message.</param>
    ValueTask<SpoolCommit> CommitAsync(
        IReadOnlyList<SpoolClaim.Settled> settled, ISpoolDraft draft, Envelope envelope, DeliveryState state, CancellationToken ct);

    /// <summary>Forgets the message, as <see cref="ISpool.RemoveAsync"/>.</summary>
    ValueTask<SpoolClaim.Answer> FinishAsync(SpoolClaim claim, CancellationToken ct);

    /// <summary>
    /// Its delivery is over: it is gone from every list but <see cref="ISpool.ListEndedAsync"/>, and stays there with this state, and over
    /// a crash, until it is removed. The record of the state need not be durable when this is answered. A spool that keeps nothing of it
    /// forgets the message.
    /// </summary>
    ValueTask<SpoolClaim.Answer> EndAsync(SpoolClaim claim, DeliveryState last, CancellationToken ct) => FinishAsync(claim, ct);

    /// <summary>Gives a message back, whatever its number: it is due when its state says so.</summary>
    /// <param name="shelf">
    /// It is due, and its claimant has no room for more of this kind: it waits on the shelf of that name until it is asked for there, so
    /// that it stands before nothing else. Null for none.
    /// </param>
    ValueTask ReleaseAsync(SpoolClaim claim, string? shelf, CancellationToken ct);

    /// <summary>What is on the shelf is due without it.</summary>
    ValueTask ClearShelfAsync(string shelf, CancellationToken ct);
}
