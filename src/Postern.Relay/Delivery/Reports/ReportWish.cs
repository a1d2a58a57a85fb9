using Postern.Relay.Envelopes;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Reports;

/// <summary>Which reports a sender asked for (RFC 3461 §4.1, RFC 2852 §4). NOTIFY=NEVER stands above all.</summary>
internal static class ReportWish
{
    public static bool WantsFailure(RecipientParameters said) =>
        said.Notify == DsnNotify.Unspecified || said.Notify.HasFlag(DsnNotify.Failure);

    public static bool WantsDelay(RecipientParameters said) => said.Notify == DsnNotify.Unspecified || said.Notify.HasFlag(DsnNotify.Delay);

    /// <summary>
    /// Whether the sender must hear that the message went on. Where the next hop takes DSN, it has taken over the wish for success. A
    /// deadline is traced at each hop that keeps it, and lost with notice at one that does not know it.
    /// </summary>
    public static bool WantsRelayed(RecipientParameters said, DeliveryDeadline? deadline, Outcome.Delivered outcome)
    {
        if (said.Notify == DsnNotify.Never)
            return false;
        if (said.Notify.HasFlag(DsnNotify.Success) && !outcome.TakesDsn)
            return true;
        return deadline is not null && (outcome.TakesDeliverBy ? deadline.IsTrace : deadline.IsNotify);
    }

    /// <summary>Nobody asked to hear of a success: the common case, in which a delivered message is simply gone.</summary>
    public static bool HasNoneOnSuccess(Envelope envelope) =>
        envelope.Said is { RecipientParameters.IsEmpty: true, Parameters.DeliverBy: null };
}
