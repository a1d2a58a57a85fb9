using System.Collections.Immutable;
using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>rules</c>: who may send what, as ordered lists; the first rule that does not pass decides, the end of the list refuses.</summary>
internal sealed record RulesOptions(ImmutableArray<string> Sender, ImmutableArray<string> Recipient)
{
    private static readonly Kind<string> SenderRules = Kinds.NameOf("rule", ["reject_unlisted_domain", "reject_sender_login_mismatch"]);

    private static readonly Kind<string> RecipientRules =
        Kinds.NameOf("rule", ["permit_networks", "permit_authenticated", "permit_network_for_domain", "reject_unauth_destination"]);

    public static RulesOptions Read(Section section)
    {
        var options = new RulesOptions(
            section.List("sender", SenderRules, SenderRules.Words, Text(SenderRules.Words), "Asked at MAIL FROM, in this order."),
            section.List("recipient", RecipientRules, RecipientRules.Words, Text(RecipientRules.Words), "Asked at RCPT TO, in this order. Nothing is relayed that no rule permits."));

        ReportRepeated(section, "sender", options.Sender);
        ReportRepeated(section, "recipient", options.Recipient);
        return options;
    }

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
