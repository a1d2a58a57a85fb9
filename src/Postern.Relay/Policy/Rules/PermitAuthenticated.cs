namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits a login whose account exists and is enabled now; it may have been removed since AUTH. The identity is the authorization
/// id (RFC 4422 §3.4.1).
/// </summary>
internal sealed class PermitAuthenticated : IRelayRule
{
    public string Name => "permit_authenticated";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(context switch
    {
        { Facts.Login: null } => new RuleAnswer.Pass("not logged in", Remedies.LogIn),
        { Account: null } => new RuleAnswer.Pass($"account {context.Facts.Login} does not exist any more", Remedies.RestoreAccount),
        { Account.Enabled: false } => new RuleAnswer.Pass($"account {context.Facts.Login} is disabled", Remedies.RestoreAccount),
        _ => new RuleAnswer.Permit($"logged in as {context.Facts.Login}"),
    });
}
