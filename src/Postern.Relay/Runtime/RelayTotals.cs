using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Runtime;

/// <summary>Counts since the start, read off the events on their way to the log.</summary>
public sealed class RelayTotals : IEventSink
{
    private long accepted;
    private long refused;
    private long logins;
    private long failedLogins;
    private long delivered;
    private long deferred;
    private long failed;
    private long unreported;

    internal RelayTotals()
    {
    }

    public string Name => "totals";

    public long Lost => 0;

    /// <summary>Messages that were answered 250.</summary>
    public long Accepted => Interlocked.Read(ref accepted);

    /// <summary>Senders and recipients that the policy refused, and messages that were refused after DATA.</summary>
    public long Refused => Interlocked.Read(ref refused);

    public long Logins => Interlocked.Read(ref logins);

    /// <summary>Logins that were not successful, for whatever reason.</summary>
    public long FailedLogins => Interlocked.Read(ref failedLogins);

    /// <summary>Recipients; the next three count attempts for one recipient each.</summary>
    public long Delivered => Interlocked.Read(ref delivered);

    public long Deferred => Interlocked.Read(ref deferred);

    public long Failed => Interlocked.Read(ref failed);

    /// <summary>
    /// Messages with recipients that failed and whose sender was not told, as anybody may have written its address: mail for domains that
    /// are accepted from everyone.
    /// </summary>
    public long Unreported => Interlocked.Read(ref unreported);

    public void Offer(AuditEvent audit)
    {
        switch (audit)
        {
            case AcceptedEvent { Source: MessageSource.Internal }:
                break;
            case AcceptedEvent:
                Interlocked.Increment(ref accepted);
                break;
            case RefusedEvent or DecisionEvent { Outcome: DecisionOutcome.Refuse }:
                Interlocked.Increment(ref refused);
                break;
            case LoginEvent { Outcome: AuthOutcome.Ok }:
                Interlocked.Increment(ref logins);
                break;
            case LoginEvent { Outcome: AuthOutcome.Anonymous }:
                break;
            case LoginEvent:
                Interlocked.Increment(ref failedLogins);
                break;
            case DeliveryEvent { Outcome: DeliveryOutcome.Delivered }:
                Interlocked.Increment(ref delivered);
                break;
            case DeliveryEvent { Outcome: DeliveryOutcome.Deferred }:
                Interlocked.Increment(ref deferred);
                break;
            case BounceEvent { Suppressed: BounceEvent.Stranger }:
                Interlocked.Increment(ref unreported);
                break;
            case DeliveryEvent:
                Interlocked.Increment(ref failed);
                break;
        }
    }

    public void OfferRepeat(AuditCause cause, AuditEvent? audit)
    {
        if (audit is not null)
            Offer(audit);
        else if (cause.Code != 0)
            Interlocked.Increment(ref refused);
    }
}
