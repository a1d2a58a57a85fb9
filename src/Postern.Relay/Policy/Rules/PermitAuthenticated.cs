namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits a login whose account exists and is enabled now; it may have been removed since AUTH. The identity is the authorization
/// id (RFC 4422 §3.4.1).
/// </summary>
internal sealed class PermitAuthenticated : IRelayRule
{
    public const string Word = "permit_authenticated";

    public string Name => Word;

    public string Doc => "permit: logged in, and the account still exists and is enabled";

    public RuleStage Stages => RuleStage.Client | RuleStage.Helo | RuleStage.Sender | RuleStage.Recipient | RuleStage.Message;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Facts.Login is not { } login)
            return new RuleAnswer.Pass("not logged in", Remedies.LogInAsync);
        return await context.FindAccountAsync(ct) switch
        {
            null => new RuleAnswer.Pass($"account {login} does not exist any more", Remedies.RestoreAccountAsync),
            { Enabled: false } => new RuleAnswer.Pass($"account {login} is disabled", Remedies.RestoreAccountAsync),
            _ => new RuleAnswer.Permit($"logged in as {login}"),
        };
    }
}
