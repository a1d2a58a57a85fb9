using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Explaining;
using Postern.Relay.Runtime;
using Postern.Web.Documents;

namespace Postern.Commands.Explain;

/// <summary>
/// Decides again what the log says was decided, by two configurations, and counts what comes out differently. What cannot be decided again
/// is counted with the reason, and taken for neither.
/// </summary>
internal sealed class PolicyDiff(RelaySnapshot before, RelaySnapshot after)
{
    /// <summary>
    /// References with counts whose decision has not come yet: the count stands behind it in the log, which is read backwards.
    /// </summary>
    private const int MostCounts = 100_000;

    private readonly Dictionary<(string Was, string WouldBe), Group> changes = [];
    private readonly Dictionary<string, Group> unknown = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> counts = new(StringComparer.Ordinal);
    private long decisions;
    private long replayed;
    private long otherwise;

    /// <param name="logs">The directory of the log.</param>
    /// <param name="old">What the first configuration is called.</param>
    /// <param name="changed">What the second is called.</param>
    public async Task<PolicyDiffDocument> RunAsync(string logs, DateTimeOffset since, string old, string changed, CancellationToken ct)
    {
        await foreach (var audit in new AuditSearch(logs).FindAsync(new AuditQuery { Kinds = AuditKind.Policy, Since = since }, ct))
        {
            if (audit is CoalescedEvent { Ref: { } reference } more && (counts.Count < MostCounts || counts.ContainsKey(reference)))
                counts[reference] = counts.GetValueOrDefault(reference) + more.Count;
            else if (audit is CoalescedEvent uncounted)
                Take("only counted, and not which decision it was like", uncounted.Count, null);
            else if (audit is DecisionEvent decision)
                await ReplayAsync(decision, 1 + (counts.Remove(decision.Ref, out var repeats) ? repeats : 0), ct);
        }

        foreach (var (reference, count) in counts)
            Take("only counted, like a decision before the time that was asked for", count, reference);
        return new PolicyDiffDocument(
            new PolicyDiffDocument.Side(old, before.Id),
            new PolicyDiffDocument.Side(changed, after.Id),
            since,
            decisions,
            replayed,
            otherwise,
            [.. changes.OrderByDescending(static one => one.Value.Count).Select(static one => one.Value.ToChange(one.Key))],
            [.. unknown.OrderByDescending(static one => one.Value.Count).Select(static one => one.Value.ToUnknown(one.Key))]);
    }

    private async Task ReplayAsync(DecisionEvent decision, long count, CancellationToken ct)
    {
        var question = WhatIf.Of(decision);
        var (was, whyNot) = await DecideAsync(before, question, decision, ct);
        var (wouldBe, whyNotThen) = was is null ? (null, null) : await DecideAsync(after, question, decision, ct);
        if (was is null || wouldBe is null)
        {
            Take(whyNot ?? whyNotThen!, count, decision.Ref);
            return;
        }

        decisions += count;
        replayed += count;
        if (was.Code != Verdict.Of(decision).Code)
            otherwise += count;
        if (was.IsLike(wouldBe))
            return;
        var key = (was.ToString(), wouldBe.ToString());
        if (!changes.TryGetValue(key, out var group))
            changes[key] = group = new Group(decision.Ref, decision);
        group.Count += count;
    }

    private static async Task<(Verdict? Verdict, string? WhyNot)> DecideAsync(
        RelaySnapshot snapshot, WhatIf asked, DecisionEvent decision, CancellationToken ct)
    {
        var (question, objection) = await asked.AskAsync(snapshot, ct);
        if (question is null)
            return objection!.RefusedBefore is { } code
                ? (new Verdict(code, "the listener", string.Empty), null)
                : (null, objection.Problem!.What);
        return await snapshot.Policy.ReplayAsync(question, decision, ct) switch
        {
            Replayed.Decided(var again) => (Verdict.Of(again.ToAuditEvent()) with { Effects = string.Join(", ", again.Effects) }, null),
            Replayed.Unknown(var rule, var why) => (null, $"{rule}: {WordsOf(why)}"),
            _ => (null, null),
        };
    }

    private static string WordsOf(Lack why) => why switch
    {
        Lack.Header => "the log keeps no headers",
        Lack.Counter => "how much of the limit was used then is not in the log",
        _ => "what DNS said then is not in the log",
    };

    private void Take(string why, long count, string? reference)
    {
        decisions += count;
        if (!unknown.TryGetValue(why, out var group))
            unknown[why] = group = new Group(reference, null);
        group.Count += count;
    }

    private sealed class Group(string? reference, DecisionEvent? example)
    {
        public long Count { get; set; }

        public PolicyDiffDocument.Change ToChange((string Was, string WouldBe) key) => new(
            Count, key.Was, key.WouldBe, reference!, example!.Client, example.User, example.Sender, example.Recipient);

        public PolicyDiffDocument.Unknown ToUnknown(string why) => new(Count, why, reference);
    }

    /// <summary>What was decided, as far as the client sees it and the message meets it.</summary>
    /// <param name="Code">Null where it is permitted.</param>
    private sealed record Verdict(int? Code, string Rule, string Effects)
    {
        public static Verdict Of(DecisionEvent decision) => new(
            decision.Reply is { } reply && int.TryParse(reply.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
                ? code
                : null,
            decision.Rule,
            string.Empty);

        /// <summary>Another rule that says the same changes nothing.</summary>
        public bool IsLike(Verdict other) => Code == other.Code && Effects == other.Effects;

        public override string ToString() => Code is { } code
            ? string.Create(CultureInfo.InvariantCulture, $"refuse {code} by {Rule}")
            : Rule == Decision.EndOfList ? "pass: no rule refuses it so far"
            : Effects.Length == 0 ? $"permit by {Rule}" : $"permit by {Rule} ({Effects})";
    }
}
