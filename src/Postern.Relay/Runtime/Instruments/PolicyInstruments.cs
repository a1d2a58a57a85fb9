using System.Diagnostics.Metrics;
using Postern.Relay.Audit.Events;
using static Postern.Relay.Runtime.Instruments.RelayInstruments;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>Decisions, what they take, and limits that are used up.</summary>
internal sealed class PolicyInstruments(Meter meter)
{
    private readonly Counter<long> decisions = meter.CreateCounter<long>(
        "postern.policy.decisions", "{decision}", "Refusals, and permitted recipients, by the rule that decided.");

    private readonly Counter<long> limits = meter.CreateCounter<long>(
        "postern.limits.exceeded", "{time}", "How often somebody came near a limit, or over it; at most once in 15 minutes for the same.");

    /// <summary>How long the rules took, by stage.</summary>
    public Histogram<double> Durations { get; } = meter.CreateHistogram(
        "postern.policy.duration", "s", "How long the rules took to decide.", tags: null, Waits);

    public void Note(string stage, string rule, DecisionOutcome outcome)
    {
        if (decisions.Enabled)
            decisions.Add(1, Tag("stage", stage), Tag("rule", rule), Tag("outcome", EventWord.Of(outcome)));
    }

    public void Note(LimitEvent limit)
    {
        if (limits.Enabled)
            limits.Add(1, Tag("limit", limit.Limit), Tag("level", EventWord.Of(limit.State)));
    }
}
