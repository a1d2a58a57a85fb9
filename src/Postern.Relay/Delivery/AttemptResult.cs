using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <summary>What one attempt makes of a message's state: pure arithmetic.</summary>
/// <param name="State">The state to store when there is nothing to report, or the report has been stored.</param>
/// <param name="Failures">The recipients that failed for good in this attempt.</param>
internal sealed record AttemptResult(DeliveryState State, ImmutableArray<RecipientFailure> Failures)
{
    private const string Expired = "5.4.7";

    /// <param name="outcomes">By recipient; null for those that this attempt did not concern.</param>
    /// <param name="next">The time of the next attempt; null: what is deferred now has failed.</param>
    public static AttemptResult Of(Envelope envelope, DeliveryState before, IReadOnlyList<Outcome?> outcomes, DateTimeOffset now, DateTimeOffset? next)
    {
        var failures = ImmutableArray.CreateBuilder<RecipientFailure>();
        var recipients = before.Recipients.ToBuilder();
        for (var i = 0; i < recipients.Count; i++)
        {
            switch (outcomes[i])
            {
                case Outcome.Delivered(_, var reply, _):
                    recipients[i] = new RecipientState(RecipientStatus.Delivered, reply);
                    break;
                case Outcome.Failed(var remote, var reply, _, var status):
                    recipients[i] = new RecipientState(RecipientStatus.Failed, reply);
                    failures.Add(new RecipientFailure(envelope.Recipients[i], status, remote, reply, HasExpired: false));
                    break;
                case Outcome.Deferred(var remote, var reply, _) when next is null:
                    recipients[i] = new RecipientState(RecipientStatus.Failed, reply);
                    failures.Add(new RecipientFailure(envelope.Recipients[i], Expired, remote, reply, HasExpired: true));
                    break;
                case Outcome.Deferred(_, var reply, _):
                    recipients[i] = new RecipientState(RecipientStatus.Pending, reply);
                    break;
                case null:
                    break;
            }
        }

        return new AttemptResult(before with { Attempts = before.Attempts + 1, NextAttempt = next ?? now, Recipients = recipients.ToImmutable() }, failures.ToImmutable());
    }

    /// <summary>The state when the failures could not be reported: those recipients stay pending, so that nothing is lost in silence.</summary>
    public DeliveryState Unreported(DeliveryState before, DateTimeOffset next) => State with
    {
        NextAttempt = next,
        Recipients =
        [
            .. State.Recipients.Select((r, i) => r.Status == RecipientStatus.Failed && before.Recipients[i].Status == RecipientStatus.Pending
                ? r with { Status = RecipientStatus.Pending }
                : r),
        ],
    };
}
