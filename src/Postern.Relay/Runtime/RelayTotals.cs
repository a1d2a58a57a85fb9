using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Runtime;

/// <summary>Counts since the start, read off the events on their way to the log.</summary>
public sealed class RelayTotals : IAuditLog
{
    private readonly IAuditLog log;
    private long accepted;
    private long refused;
    private long logins;
    private long failedLogins;
    private long delivered;
    private long deferred;
    private long failed;

    internal RelayTotals(IAuditLog log) => this.log = log;

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

    public bool WantsSubjects => log.WantsSubjects;

    public long Dropped => log.Dropped;

    public void Append(AuditEvent audit)
    {
        switch (audit)
        {
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
            case DeliveryEvent:
                Interlocked.Increment(ref failed);
                break;
        }

        log.Append(audit);
    }

    public async ValueTask<AuditCause> AskAsync(AuditCause cause, CancellationToken ct)
    {
        var answer = await log.AskAsync(cause, ct);
        if (answer is { Standing: AuditStanding.Repeat, Code: not 0 })
            Interlocked.Increment(ref refused);
        return answer;
    }

    public ValueTask FlushAsync(CancellationToken ct) => log.FlushAsync(ct);

    public ValueTask DisposeAsync() => log.DisposeAsync();
}
