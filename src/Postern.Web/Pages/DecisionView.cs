using System.Collections.Immutable;
using Postern.Relay.Audit.Events;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>A decision as a tree: stages, the rules asked at each, and those that a rule asked in turn.</summary>
public sealed record DecisionView(DecisionEvent Decision, ImmutableArray<DecisionView.Stage> Stages)
{
    /// <param name="Name">In words.</param>
    public sealed record Stage(string Name, ImmutableArray<Node> Nodes);

    /// <param name="Decides">It is this one.</param>
    public sealed record Node(RuleStep Step, bool Decides, ImmutableArray<Node> Below);

    public State State => State.Of(Decision.Outcome);

    /// <summary>What it was asked about.</summary>
    public ImmutableArray<Fact> Facts
    {
        get
        {
            var facts = ImmutableArray.CreateBuilder<Fact>();
            facts.Add(new("sender", Decision.Sender.Length == 0 ? "<>" : Decision.Sender));
            if (Decision.Recipient is { } recipient)
                facts.Add(new("recipient", recipient));
            facts.Add(new("client", Decision.Client));
            facts.Add(new("login", Decision.User is { } user ? Decision.ProvenBy is { } by ? $"{user}, proven by {by}" : user : "none"));
            if (Decision.Credential is { } credential)
                facts.Add(new("credential", credential));
            facts.Add(new("TLS", Decision.Tls ?? "none"));
            facts.Add(new("listener", Decision.Listener));
            if (Decision.Helo is { } helo)
                facts.Add(new("HELO, as the client says", helo));
            if (Decision.Tenant is { } tenant)
                facts.Add(new("tenant", tenant));
            if (Decision.Config is { } config)
                facts.Add(new("configuration", config));
            return facts.DrainToImmutable();
        }
    }

    /// <summary>What would change it, of the rules that were asked; the last to be asked first.</summary>
    public ImmutableArray<string> Remedies =>
        [.. (Decision.Chain.IsDefault ? [] : Decision.Chain).Reverse().Select(static s => s.Remedy).OfType<string>().Distinct()];

    public static DecisionView Of(DecisionEvent decision)
    {
        var chain = decision.Chain.IsDefault ? [] : decision.Chain;
        var decides = LastIndex(decision);
        var stages = ImmutableArray.CreateBuilder<Stage>();
        for (var at = 0; at < chain.Length;)
        {
            var name = chain[at].Stage ?? decision.Stage;
            var end = at;
            while (end < chain.Length && (chain[end].Stage ?? decision.Stage) == name)
                end++;
            stages.Add(new Stage(WordsOf(name), Nodes(chain, ref at, end, list: null, decides)));
        }

        return new DecisionView(decision, stages.DrainToImmutable());
    }

    /// <summary>The rules of one list; those of a list with a name stand below the rule that asked it.</summary>
    private static ImmutableArray<Node> Nodes(ImmutableArray<RuleStep> chain, ref int at, int end, string? list, int decides)
    {
        var nodes = ImmutableArray.CreateBuilder<Node>();
        while (at < end && (list is null || chain[at].In == list))
        {
            var (step, index) = (chain[at], at++);
            var below = step.Said == "ask" && at < end && chain[at].In is { } asked && asked != list
                ? Nodes(chain, ref at, end, asked, decides)
                : [];
            nodes.Add(new Node(step, index == decides, below));
        }

        return nodes.DrainToImmutable();
    }

    /// <summary>The step that decided; negative where the end of the list did.</summary>
    private static int LastIndex(DecisionEvent decision)
    {
        var said = EventWord.Of(decision.Outcome);
        for (var i = (decision.Chain.IsDefault ? 0 : decision.Chain.Length) - 1; i >= 0; i--)
        {
            var step = decision.Chain[i];
            if (step.Said == said && step.Rule == decision.Rule && (step.Stage ?? decision.Stage) == decision.Stage)
                return i;
        }

        return -1;
    }

    private static string WordsOf(string stage) => stage switch
    {
        "client" or "helo" or "sender" => $"{stage}: asked at MAIL",
        "recipient" => "recipient: asked at RCPT",
        "message" => "message: asked when the header has come",
        _ => stage,
    };
}
