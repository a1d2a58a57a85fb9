using System.Diagnostics.Metrics;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Spool;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>
/// What a relay measures. Most of it is read off the events on their way to the log, so that a count and the log say the same; the rest is
/// told where it happens, or asked for when somebody looks. Where nobody listens, nothing is counted and nothing is made.
/// </summary>
/// <remarks>
/// A label is a word of a closed list or of the configuration: never an address, a login, a domain of a client's choice, or an id.
/// </remarks>
internal sealed class RelayInstruments : IEventSink
{
    public const string MeterName = "Postern.Relay";

    /// <summary>For what takes from a millisecond to some seconds.</summary>
    internal static readonly InstrumentAdvice<double> Waits = new()
    {
        HistogramBucketBoundaries = [.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30],
    };

    private readonly Meter meter;

    public RelayInstruments(RelayMeters meters)
    {
        meter = meters.Create(new MeterOptions(MeterName));
        Mail = new MailInstruments(meter);
        Logins = new LoginInstruments(meter);
        Policy = new PolicyInstruments(meter);
        // Of both directions there is one count, which is the server's.
        Delivery = new DeliveryInstruments(meter, meters.Create(new MeterOptions("Postern.Smtp")));
    }

    public string Name => "metrics";

    /// <summary>A count always has room.</summary>
    public long Lost => 0;

    public MailInstruments Mail { get; }

    public LoginInstruments Logins { get; }

    public PolicyInstruments Policy { get; }

    public DeliveryInstruments Delivery { get; }

    /// <summary>What is asked for when somebody looks: once, when there is something to ask.</summary>
    public void Watch(
        ISpool spool,
        DeliveryScheduler deliveries,
        HashingPool hashing,
        LoginProtection protection,
        SuspendedSenders suspended,
        JsonLinesAuditLog audit)
    {
        SpoolInstruments.Create(meter, spool);
        QueueInstruments.Create(meter, spool, deliveries);
        LoginInstruments.Watch(meter, hashing, protection, suspended);
        EventInstruments.Create(meter, audit);
    }

    /// <summary>How the relay is, and what it shows: once.</summary>
    public void Watch(RelayService relay) => RelayStateInstruments.Create(meter, relay);

    public void Offer(AuditEvent audit)
    {
        switch (audit)
        {
            case AcceptedEvent accepted:
                Mail.Note(accepted);
                break;
            case RefusedEvent refused:
                Mail.Note(refused);
                break;
            case DecisionEvent decision:
                Policy.Note(decision.Stage, decision.Rule, decision.Outcome);
                Refused(decision.Listener, decision.Stage, decision.Rule, decision.Outcome);
                break;
            case LoginEvent login:
                Logins.Note(login);
                break;
            case DeliveryEvent delivery:
                Delivery.Note(delivery);
                break;
            case BounceEvent bounce:
                Delivery.Note(bounce);
                break;
            case LimitEvent limit:
                Policy.Note(limit);
                break;
        }
    }

    public void OfferRepeat(AuditCause cause, AuditEvent? audit)
    {
        if (audit is not null)
        {
            Offer(audit);
        }
        else if (cause is { Kind: AuditKind.Policy, Detail: { } rule })
        {
            // It was not made into an event, so nobody knows the listener any more.
            var outcome = cause.Code == 0 ? DecisionOutcome.Permit : DecisionOutcome.Refuse;
            Policy.Note(cause.Word, rule, outcome);
            Refused("other", cause.Word, rule, outcome);
        }
    }

    /// <summary>A message that is refused for its header is told of again, as one that is refused.</summary>
    private void Refused(string listener, string stage, string rule, DecisionOutcome outcome)
    {
        if (outcome == DecisionOutcome.Refuse && stage != RuleStage.Message.ToWord())
            Mail.Refused(listener, stage, rule);
    }

    internal static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
