using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses recipients that are not listed, for senders that have no business anywhere else: <c>reject_other_recipients @example.org</c>.
/// </summary>
internal sealed class RejectOtherRecipients : IRelayRule
{
    public const string Word = "reject_other_recipients";

    private readonly string[] allowed = [];

    public RejectOtherRecipients()
    {
    }

    private RejectOtherRecipients(string[] allowed) => this.allowed = allowed;

    public string Name => Word;

    public string Doc =>
        "refuse (550): the recipient is none of the addresses behind the word, and in none of the domains there (whose local parts may "
            + "not ask for routing: `%`, `!`, `@`)";

    public RuleStage Stages => RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_other_recipients` in a list of rules: 550 for recipients that are not listed. Short: `reject_other_recipients "
            + "@example.org`.";

    public string Shorthand => "allowed";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new RejectOtherRecipients(
        arguments.Required(
            "allowed", ArgumentKinds.Recipients, "Addresses, or `@` and a domain for all of its addresses, with spaces between."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Recipient is not { } recipient)
            return new(new RuleAnswer.Pass("no recipient"));
        foreach (var one in allowed)
        {
            if (Includes(one, recipient))
                return new(new RuleAnswer.Pass($"{recipient} is allowed by {one}"));
        }

        return new(new RuleAnswer.Refuse(
            Refusals.OtherRecipient(context),
            $"{recipient} is none of {string.Join(", ", allowed)}",
            static (asked, _) => new(Allow(asked)))
        {
            Mend = context.Device is { } device
                ? world => world.Devices.Add(t => t.Name == device.Name ? t with { To = t.To.Add(recipient.Canonical) } : t)
                : null,
        });
    }

    private static bool Includes(string pattern, Mailbox recipient) => pattern[0] == '@'
        ? recipient.Domain is { Literal: null, Text: var domain }
            && !RejectUnauthDestination.AsksForRouting(recipient)
            && pattern.AsSpan(1).Equals(domain, StringComparison.OrdinalIgnoreCase)
        : string.Equals(pattern, recipient.Canonical, StringComparison.OrdinalIgnoreCase);

    private static string Allow(RuleContext context) =>
        context.Device is { } terms
            ? $"add {context.Recipient} to the key 'to' of devices '{terms.Name}' in postern.yaml"
            : $"add {context.Recipient} to {Word} in rules";
}
