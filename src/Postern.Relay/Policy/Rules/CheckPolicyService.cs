using Postern.Relay.Policy.Services;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Asks a service in the form of Postfix's policy delegation (SMTPD_POLICY_README): greylisting, SPF, rates, one's own. What it answers is
/// done as if it stood in an access table; where it does not answer in time, or with anything else, the entry's <c>on_error</c> counts.
/// </summary>
internal sealed class CheckPolicyService : IRelayRule
{
    private readonly PolicyPlace? place;
    private readonly TimedQuestion question = TimedQuestion.None;

    public CheckPolicyService()
    {
    }

    private CheckPolicyService(PolicyPlace place, TimedQuestion question) => (this.place, this.question) = (place, question);

    public string Name => "check_policy_service";

    public string Doc =>
        "what a service with Postfix's policy protocol answers: `OK`, `REJECT`, `DEFER`, `DEFER_IF_PERMIT`, a code of its own, `HOLD`, "
            + "`REDIRECT`, `BCC`, `PREPEND`, or `DUNNO`; no answer in time: `on_error`. Its `OK` permits as `permit` does";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`check_policy_service` in a list of rules: a service with Postfix's policy protocol is asked; see rules.md. "
            + "Short: `check_policy_service inet:127.0.0.1:10023`.";

    public string Shorthand => "at";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new CheckPolicyService(
        arguments.Required("at", PolicyPlace.Kind, "Where it listens: `inet:host:port` or `unix:/path`."),
        TimedQuestion.Read(stage, arguments));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => question.AskAsync(
        place!.Text,
        context,
        end => context.Services.At(place).AskAsync(PolicyAttributes.Write(context, question), end),
        ct);
}
