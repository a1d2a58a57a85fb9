using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Policy.Explaining;

/// <summary>
/// Answers "why": finds in the audit log what was decided. What would be decided,
/// <see cref="RelayPolicy.DryRunAsync(PolicyQuestion, CancellationToken)"/> tells.
/// </summary>
public sealed class Explainer(AuditSearch search)
{
    /// <summary>How long before its acceptance a message's transaction may have begun.</summary>
    private static readonly TimeSpan LongestTransaction = TimeSpan.FromDays(1);

    private static readonly QueueId LastOfCalendar = new((UInt128)(ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() << 80);

    /// <param name="name">The reference of a reply, or a queue id, in any case.</param>
    public async ValueTask<Explanation> ExplainAsync(string name, CancellationToken ct)
    {
        if (QueueId.TryParse(name, out var id))
            return await OfMessageAsync(id, ct);
        if (!DecisionReference.TryParse(name, out var reference))
            return new Explanation.Malformed();
        var found = await ListAsync<AuditEvent>(new AuditQuery { Kinds = AuditKind.Policy, Ref = reference }, ct);
        return found.IsEmpty
            ? new Explanation.Unknown()
            : new Explanation.OfReference([.. found.OfType<DecisionEvent>()], [.. found.OfType<CoalescedEvent>()]);
    }

    private async ValueTask<Explanation> OfMessageAsync(QueueId id, CancellationToken ct)
    {
        var events = await ListAsync<AuditEvent>(
            new AuditQuery { Kinds = AuditKind.Mail, QueueId = id.ToString(), Since = Before(id) }, ct);
        if (events.IsEmpty)
            return new Explanation.Unknown();
        var accepted = events.OfType<AcceptedEvent>().LastOrDefault();
        var decisions = accepted is null ? [] : await DecisionsOfAsync(accepted, ct);
        return new Explanation.OfMessage(accepted, decisions, [.. events.Where(static e => e is not AcceptedEvent).Reverse()]);
    }

    /// <summary>The decisions of the session between the message before and this one.</summary>
    private async ValueTask<ImmutableArray<DecisionEvent>> DecisionsOfAsync(AcceptedEvent accepted, CancellationToken ct)
    {
        var query = new AuditQuery { Kinds = AuditKind.Policy | AuditKind.Mail, Session = accepted.Session, Since = Earlier(accepted.At) };
        var decisions = new List<DecisionEvent>();
        await foreach (var audit in search.FindAsync(query, ct))
        {
            if (audit is AcceptedEvent earlier && earlier.QueueId != accepted.QueueId && earlier.At <= accepted.At)
                break;
            if (audit is DecisionEvent decision && decision.At <= accepted.At)
                decisions.Add(decision);
        }

        decisions.Reverse();
        return [.. decisions];
    }

    /// <summary>An id that a person made up may name a time beyond the calendar: no file is that new.</summary>
    private static DateTimeOffset Before(QueueId id) =>
        id.CompareTo(LastOfCalendar) < 0 ? Earlier(id.CreatedAt) : DateTimeOffset.MaxValue;

    private static DateTimeOffset Earlier(DateTimeOffset at) =>
        at - DateTimeOffset.MinValue > LongestTransaction ? at - LongestTransaction : DateTimeOffset.MinValue;

    private async ValueTask<ImmutableArray<T>> ListAsync<T>(AuditQuery query, CancellationToken ct)
        where T : AuditEvent
    {
        var found = ImmutableArray.CreateBuilder<T>();
        await foreach (var audit in search.FindAsync(query, ct))
        {
            if (audit is T wanted)
                found.Add(wanted);
        }

        return found.DrainToImmutable();
    }
}
