using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits a client without a login when the directory allows its address for the sender's domain. A login is judged as a login:
/// its address does not widen what it may do.
/// </summary>
internal sealed class PermitNetworkForDomain : IRelayRule
{
    public const string Word = "permit_network_for_domain";

    public string Name => Word;

    public string Doc => "permit: not logged in, and `postern network add` allows the client for the sender's domain";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Facts.Login is not null)
            return new RuleAnswer.Pass("logged in: the password decides, not the address");
        if (context.Sender.Mailbox is not { Domain: Domain domain })
            return new RuleAnswer.Pass("the null sender has no domain");
        return await context.FindAllowedNetworkAsync(ct) is IPNetwork network
            ? new RuleAnswer.Permit($"client {context.Facts.Client} is in {network}, allowed for {domain}")
            : new RuleAnswer.Pass($"client {context.Facts.Client} is in no network allowed for {domain}", Remedies.AllowClientAsync);
    }
}
