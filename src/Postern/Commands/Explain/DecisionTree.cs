using System.Collections.Immutable;
using Postern.Commands.Output;
using Postern.Relay.Audit.Events;

namespace Postern.Commands.Explain;

/// <summary>
/// A decision as people read it: what was asked, what each rule saw and said, which one decided, and what would change it.
/// </summary>
internal static class DecisionTree
{
    private const int LongestWord = 7;

    /// <param name="whose">Whose configuration decided, beside its id; null where that is not known.</param>
    /// <param name="effects">What the rules do with the message; none where that is not known.</param>
    public static Tree Of(DecisionEvent decision, string? whose = null, ImmutableArray<string> effects = default)
    {
        var who = decision.User is { } user ? $"{decision.Client} logged in as {user}" : $"{decision.Client} without a login";
        var sender = decision.Sender.Length == 0 ? "<>" : decision.Sender;
        var what = decision.Recipient is { } recipient ? $"from {sender} to {recipient}" : $"from {sender}";
        var tls = decision.Tls is { } version ? $" over {version}" : string.Empty;
        var root = new Tree($"{EventWord.Of(decision.Outcome)} by {decision.Rule}: {who}{tls}, {what}");
        if (decision.Config is { } configuration)
            root.Add($"configuration: {configuration}{(whose is null ? string.Empty : $", {whose}")}");
        root.Add(Inputs(decision));
        if (decision.Reply is { } reply)
            root.Add($"reply: {reply}");
        AddSteps(root, decision);
        if (!effects.IsDefaultOrEmpty)
            root.Add($"with the message: {string.Join("; ", effects)}");
        return root;
    }

    private static string Inputs(DecisionEvent decision)
    {
        List<string> facts = [$"listener {decision.Listener}"];
        if (decision.Helo is { } helo)
            facts.Add($"EHLO {helo}");
        if (decision.Credential is { } credential)
            facts.Add($"credential {credential}{(decision.ProvenBy is { } owner ? $" of {owner}" : string.Empty)}");
        if (decision.Tenant is { } tenant)
            facts.Add($"tenant {tenant}");
        if (decision.Certificate is { } certificate)
            facts.Add($"certificate {certificate}");
        return $"decided at {decision.Stage}, of {string.Join(", ", facts)}";
    }

    private static void AddSteps(Tree root, DecisionEvent decision)
    {
        var (stage, ofStage, asking) = ((string?)null, root, (Tree?)null);
        var lists = new Dictionary<string, Tree>(StringComparer.Ordinal);
        var decides = LastIndex(decision);
        for (var i = 0; i < decision.Chain.Length; i++)
        {
            var step = decision.Chain[i];
            if (stage != (step.Stage ?? decision.Stage))
            {
                stage = step.Stage ?? decision.Stage;
                ofStage = root.Add(WordsOf(stage));
                lists.Clear();
                asking = null;
            }

            // The first rule of a list that has a name stands behind the one that asked it.
            if (step.In is { } list && asking is not null)
                (lists[list], asking) = (asking, null);
            var above = step.In is { } name && lists.TryGetValue(name, out var asked) ? asked : ofStage;
            var mark = i == decides ? " (decides)" : string.Empty;
            var node = above.Add($"{step.Said.PadRight(LongestWord)} {step.Rule}{mark}: {step.Saw}");
            if (step.Said == "ask")
                asking = node;
            if (step.Remedy is { } remedy)
                node.Add($"what would change it: {remedy}");
        }
    }

    /// <summary>The step that decided; negative where the end of the list did.</summary>
    private static int LastIndex(DecisionEvent decision)
    {
        var said = EventWord.Of(decision.Outcome);
        for (var i = decision.Chain.Length - 1; i >= 0; i--)
        {
            var step = decision.Chain[i];
            if (step.Said == said && step.Rule == decision.Rule && (step.Stage ?? decision.Stage) == decision.Stage)
                return i;
        }

        return -1;
    }

    private static string WordsOf(string stage) => stage switch
    {
        "client" or "helo" or "sender" => $"{stage}, asked at MAIL",
        "recipient" => "recipient, asked at RCPT",
        "message" => "message, asked when the header has come",
        _ => stage,
    };
}
