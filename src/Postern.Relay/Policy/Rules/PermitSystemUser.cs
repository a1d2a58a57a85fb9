namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits the users of this machine, as the system names them: what they leave by <c>postern sendmail</c>. No client of a listener is one,
/// whatever it says.
/// </summary>
internal sealed class PermitSystemUser : IRelayRule
{
    public string Name => "permit_system_user";

    public string Doc => "permit: a user of this machine left it by `postern sendmail`; no client of a listener is one";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient | RuleStage.Message;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(
        context.Facts.IsSystemUser
            ? new RuleAnswer.Permit($"{context.Facts.Login} is a user of this machine")
            : new RuleAnswer.Pass("not a user of this machine"));
}
