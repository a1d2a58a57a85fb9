using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules.Names;

/// <summary>
/// Refuses a client without a login whose HELO or EHLO names a host that DNS does not know: neither an address nor an MX record.
/// </summary>
internal sealed class RejectUnknownHeloHostname : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public RejectUnknownHeloHostname()
    {
    }

    private RejectUnknownHeloHostname(OwnReply reply) => this.reply = reply;

    public string Name => "reject_unknown_helo_hostname";

    public string Doc =>
        "refuse (450): not logged in, and DNS knows neither an MX record nor an address of the name in HELO or EHLO";

    public RuleStage Stages => RuleStage.Helo | RuleStage.Sender | RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_unknown_helo_hostname` in a list of rules: 450 for a name in HELO that DNS does not know; a login is not asked.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectUnknownHeloHostname(OwnReply.Read(arguments, Refusals.UnknownHelo));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Facts is not { Login: null, Helo: { } name })
            return new RuleAnswer.Pass(context.Facts.Login is null ? "the name is not known" : "logged in");
        return Domain.TryParse(Encoding.UTF8.GetBytes(name), out var domain)
            ? LookedUp.Answer(
                await context.Names.FindMailAsync(domain, ct), _ => reply.Of(Refusals.UnknownHelo), Refusals.CannotLookUpClient, domain)
            : new RuleAnswer.Refuse(reply.Of(Refusals.UnknownHelo), $"{name} is no name of a host", Remedies.TakeOut(this));
    }
}
