using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Policy;

namespace Postern.Configuration;

/// <summary><c>rules</c>: who may send what, as ordered lists; the first rule that does not pass decides, the end of the list refuses.</summary>
internal sealed record RulesOptions(ImmutableArray<string> Sender, ImmutableArray<string> Recipient)
{
    private static readonly PolicyOptions Defaults = new();

    private static readonly Kind<string> SenderRules = RulesOf(RuleStage.Sender);

    private static readonly Kind<string> RecipientRules = RulesOf(RuleStage.Recipient);

    public static RulesOptions Read(Section section)
    {
        var options = new RulesOptions(
            section.List("sender", SenderRules, Defaults.SenderRules, Text(Defaults.SenderRules), "Asked at MAIL FROM, in this order."),
            section.List("recipient", RecipientRules, Defaults.RecipientRules, Text(Defaults.RecipientRules), "Asked at RCPT TO, in this order. Nothing is relayed that no rule permits."));

        ReportRepeated(section, "sender", options.Sender);
        ReportRepeated(section, "recipient", options.Recipient);
        return options;
    }

    private static Kind<string> RulesOf(RuleStage stage) => Kinds.NameOf("rule", RelayRules.Names(stage)) with
    {
        Why = word => RelayRules.Check(stage, word) is { Nearest: null, Message: var message } ? message : null,
    };

    private static string Text(ImmutableArray<string> rules) => $"`[{string.Join(", ", rules)}]`";

    private static void ReportRepeated(Section section, string key, ImmutableArray<string> rules)
    {
        for (var i = 0; i < rules.Length; i++)
        {
            if (rules.IndexOf(rules[i], StringComparer.Ordinal) < i)
                section.Report(key, i, $"'{rules[i]}' stands here twice; the second is never asked anything new");
        }
    }
}
