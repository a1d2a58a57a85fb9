using System.Collections.Immutable;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>What one attempt makes of a message's state: pure arithmetic.</summary>
/// <param name="State">The state to store when there is nothing to report, or the failures have been reported.</param>
/// <param name="Failures">The recipients that failed for good in this attempt.</param>
/// <param name="Relayed">Those that were passed on and whose sender wants to hear of it.</param>
/// <param name="Delayed">Those that still wait and whose sender is to be told so now.</param>
/// <param name="DelaysToReport">What is reported once <paramref name="Delayed"/> has been.</param>
internal sealed record AttemptResult(
    DeliveryState State,
    ImmutableArray<RecipientReport> Failures,
    ImmutableArray<RecipientReport> Relayed,
    ImmutableArray<RecipientReport> Delayed,
    DelayReports DelaysToReport)
{
    private const string Expired = "5.4.7";
    private const string Overdue = "4.4.7";

    /// <param name="outcomes">By recipient; null for those that this attempt did not concern.</param>
    /// <param name="next">The time of the next attempt; null: what is deferred now has failed.</param>
    /// <param name="warn">
    /// How long after its release a message is late; the greatest there is: no delay is told, as nobody knows the time.
    /// </param>
    public static AttemptResult Of(
        Envelope envelope, DeliveryState before, IReadOnlyList<Outcome?> outcomes, DateTimeOffset now, DateTimeOffset? next, TimeSpan warn)
    {
        var failures = ImmutableArray.CreateBuilder<RecipientReport>();
        var relayed = ImmutableArray.CreateBuilder<RecipientReport>();
        var delayed = ImmutableArray.CreateBuilder<RecipientReport>();
        var delays = DelaysToTell(envelope, before, now, warn);
        var recipients = before.Recipients.ToBuilder();
        for (var i = 0; i < recipients.Count; i++)
        {
            switch (outcomes[i])
            {
                case Outcome.Delivered delivered:
                    recipients[i] = delivered.ToState(before.Attempts + 1);
                    if (ReportWish.WantsRelayed(envelope.ParametersOf(i), envelope.Deadline, delivered))
                        relayed.Add(
                            RecipientReport.Of(
                                envelope, i, delivered.IsFinal ? ReportAction.Delivered : ReportAction.Relayed, "2.0.0", delivered));
                    break;
                case Outcome.Failed failed:
                    recipients[i] = failed.ToState(before.Attempts + 1);
                    failures.Add(RecipientReport.Of(envelope, i, ReportAction.Failed, failed.Status ?? "5.0.0", failed));
                    break;
                case Outcome.Deferred deferred when next is null:
                    var given = GivenUp(envelope, deferred, now);
                    recipients[i] = given.ToState(before.Attempts + 1);
                    failures.Add(RecipientReport.Of(envelope, i, ReportAction.Failed, Expired, given) with { HasExpired = true });
                    break;
                case Outcome.Deferred deferred:
                    recipients[i] = deferred.ToState(before.Attempts + 1);
                    if (delays != DelayReports.None && ReportWish.WantsDelay(envelope.ParametersOf(i)))
                        delayed.Add(RecipientReport.Of(envelope, i, ReportAction.Delayed, DelayStatus(delays, deferred), deferred));
                    break;
                case null:
                    break;
            }
        }

        var state = before with
        {
            Attempts = before.Attempts + 1,
            NextAttempt = next ?? now,
            TriedAt = now,
            NotReported = null,
            Recipients = recipients.ToImmutable(),
        };
        return new AttemptResult(state, failures.ToImmutable(), relayed.ToImmutable(), delayed.ToImmutable(), delays);
    }

    /// <summary>
    /// What the last answer comes to when the time of a message is over: that it failed, for what the answer says and with the status that
    /// it has, or because its sender gave it no more time.
    /// </summary>
    public static Outcome.Failed GivenUp(Envelope envelope, Outcome.Deferred last, DateTimeOffset now) =>
        new(last.Remote, last.Reply, last.Tls, last.Status ?? Expired)
        {
            Cause = envelope.Deadline?.IsOver(now) == true ? DeliveryCause.Expired : last.Cause,
            Phase = last.Phase,
            Code = last.Code,
            IsVerbatim = last.IsVerbatim,
            IsVerified = last.IsVerified,
            Security = last.Security,
            Took = last.Took,
            Told = last.Told,
        };

    /// <summary>
    /// The state when the failures could not be reported: those recipients stay pending, so that nothing is lost in silence.
    /// </summary>
    public DeliveryState Unreported(DeliveryState before, DateTimeOffset next) => State with
    {
        NextAttempt = next,
        Recipients =
        [
            .. State.Recipients.Select((r, i) => r.Status == RecipientStatus.Failed
                && before.Recipients[i].Status == RecipientStatus.Pending
                ? r with { Status = RecipientStatus.Pending, Attempt = 0 }
                : r),
        ],
    };

    /// <summary>Which delays the sender has not been told of, and is to be told now.</summary>
    /// <param name="warn">How long after its release a message is late; the greatest there is: nobody knows the time.</param>
    public static DelayReports DelaysToTell(Envelope envelope, DeliveryState before, DateTimeOffset now, TimeSpan warn)
    {
        var delays = DelayReports.None;
        if (envelope.Sender.IsNull || warn == TimeSpan.MaxValue)
            return delays;
        if (now >= envelope.ReleasedAt + warn)
            delays |= DelayReports.Late;
        if (envelope.Deadline is { IsNotify: true } deadline && now >= deadline.At)
            delays |= DelayReports.Overdue;
        return delays & ~before.Reported;
    }

    private static string DelayStatus(DelayReports delays, Outcome.Deferred deferred) => delays.HasFlag(DelayReports.Overdue) ? Overdue
        : EnhancedStatus.Parse(deferred.Status) is { Class: 4 } ? deferred.Status!
        : StatusOf(deferred);

    /// <summary>RFC 3463 §3.4 to §3.8, where nobody said one.</summary>
    private static string StatusOf(Outcome.Deferred deferred) => deferred.Cause switch
    {
        _ when deferred.Phase == DeliveryPhase.Dns => "4.4.3",
        DeliveryCause.Unreachable => "4.4.1",
        DeliveryCause.Broken => "4.4.2",
        DeliveryCause.NoRoute => "4.4.4",
        DeliveryCause.NoTls or DeliveryCause.LoginFailed => "4.7.0",
        DeliveryCause.NotCapable => "4.5.0",
        DeliveryCause.NoTurn => "4.4.5",
        DeliveryCause.OwnShortage => "4.3.1",
        DeliveryCause.OwnSurroundings or DeliveryCause.Mistake => "4.3.0",
        _ => "4.0.0",
    };
}
