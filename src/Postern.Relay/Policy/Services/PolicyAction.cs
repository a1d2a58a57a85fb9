using Postern.Relay.Policy.Access;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// What a service wants done, in the words of access(5): those of <see cref="AccessAction"/>, and <c>DEFER_IF_PERMIT</c>,
/// <c>DEFER_IF_REJECT</c>, <c>WARN</c> and <c>INFO</c>. Whatever else it wants is refused with 451 and told: nothing is let through for not
/// being understood.
/// </summary>
internal static class PolicyAction
{
    /// <summary>Of a service's words in a reply: with code, status and reference it stays within 512 octets.</summary>
    private const int MostOfText = 400;

    private const int MostShown = 300;

    /// <param name="said">As it came.</param>
    /// <param name="saw">For people: who said it, and what.</param>
    /// <param name="source">Who said it, as a remedy names it.</param>
    public static RuleAnswer Of(string said, string saw, string source, RuleContext context, RuleStage stage)
    {
        var (word, rest) = AccessAction.Split(said);
        switch (word.ToUpperInvariant())
        {
            case "WARN" or "INFO":
                return new RuleAnswer.Pass(saw);
            case "DEFER_IF_PERMIT":
                return Deferring(ofRefusal: false);
            case "DEFER_IF_REJECT":
                return Deferring(ofRefusal: true);
            case "OK" or "PERMIT" or "DUNNO" or "PASS":
                rest = string.Empty;
                break;
            case "REJECT" or "DEFER" or [>= '4' and <= '5', >= '0' and <= '9', >= '0' and <= '9']:
                rest = Clean(rest);
                break;
            case "HOLD":
                rest = Clean(rest.Length == 0 ? $"{source} says so" : rest, ArgumentKinds.MostOfLine);
                break;
        }

        return AccessAction.Read(word, rest, out var problem) switch
        {
            AccessAction.Permit => new RuleAnswer.Permit(saw),
            AccessAction.Pass => new RuleAnswer.Pass(saw),
            AccessAction.Act(var effect) => new RuleAnswer.Pass(saw) { Effect = effect },
            AccessAction.Refuse(var refusal) => new RuleAnswer.Refuse(
                refusal, saw, (_, _) => new($"what {source} decides by, or a rule before this one that permits")),
            AccessAction.Ask(var list) when context.HasList(list, stage) => new RuleAnswer.Ask(list, saw),
            AccessAction.Ask => NotDone("there is no such list below rules.classes that can be asked here"),
            _ => NotDone(problem.Length > 0 ? Shown(problem) : "that is not done here"),
        };

        RuleAnswer.Pass Deferring(bool ofRefusal) =>
            new(saw) { Deferral = new Deferral(AccessAction.Said(Refusals.Deferred, Clean(rest)), ofRefusal) };

        RuleAnswer.Refuse NotDone(string why) => new(
            Refusals.Misconfigured, $"{saw}: {why}", (_, _) => new($"have {source} answer with an action that docs/rules.md lists"));
    }

    /// <summary>Somebody else's words as people see them: short, on one line.</summary>
    public static string Shown(string text) => text.Length > MostShown ? $"{Clean(text, MostShown)}..." : Clean(text);

    /// <summary>Printable US-ASCII, and not longer than a reply has room for: a refusal stays one, whatever it is worded like.</summary>
    private static string Clean(string text, int most = MostOfText) => string.Create(
        Math.Min(text.Length, most),
        text,
        static (chars, text) =>
        {
            for (var i = 0; i < chars.Length; i++)
                chars[i] = text[i] is >= ' ' and <= '~' ? text[i] : '?';
        });
}
