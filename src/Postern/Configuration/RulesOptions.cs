using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Policy;

namespace Postern.Configuration;

/// <summary><c>rules</c>: who may send what, as ordered lists; the first rule that does not pass decides, the end of the list refuses.</summary>
internal sealed record RulesOptions(ImmutableArray<string> Sender, ImmutableArray<string> Recipient)
{
    /// <summary>Whether a login is named in a message of it that names somebody else.</summary>
    public bool TracesSenders { get; init; } = true;

    private static readonly Kind<bool> SenderFields = Kinds.Word(("trace", true), ("keep", false));

    private static readonly PolicyOptions Defaults = new();

    private static readonly Kind<string> SenderRules = RulesOf(RuleStage.Sender);

    private static readonly Kind<string> RecipientRules = RulesOf(RuleStage.Recipient);

    public static RulesOptions Read(Section section)
    {
        var options = new RulesOptions(
            section.List("sender", SenderRules, Defaults.SenderRules, Text(Defaults.SenderRules), "Asked at MAIL FROM, in this order."),
            section.List("recipient", RecipientRules, Defaults.RecipientRules, Text(Defaults.RecipientRules), "Asked at RCPT TO, in this order. Nothing is relayed that no rule permits."))
        {
            TracesSenders = section.Value("sender_field", SenderFields, fallback: true, "`trace`", "What becomes of a message by a login that does not own every address in From, or the one in Sender: `trace` writes the reverse-path, or the account's own address, into Sender (RFC 6409 §8.1); where that cannot be, the login into X-Authenticated-Sender. `keep` leaves both as they come."),
        };

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
