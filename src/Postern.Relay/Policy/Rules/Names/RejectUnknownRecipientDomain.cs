namespace Postern.Relay.Policy.Rules.Names;

/// <summary>
/// Refuses a recipient whose domain has no place for mail in DNS, or says that it takes none (RFC 7505). Domains that are listed here are
/// not
/// looked up.
/// </summary>
internal sealed class RejectUnknownRecipientDomain : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public RejectUnknownRecipientDomain()
    {
    }

    private RejectUnknownRecipientDomain(OwnReply reply) => this.reply = reply;

    public string Name => "reject_unknown_recipient_domain";

    public string Doc =>
        "refuse (450; 556 for a null MX): the domain of the recipient has no place for mail in DNS; domains that are "
            + "accepted here are not looked up";

    public RuleStage Stages => RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_unknown_recipient_domain` in a list of rules: 450 for a recipient whose domain has neither an MX record nor an address.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectUnknownRecipientDomain(OwnReply.Read(arguments, Refusals.NoSuchDomain));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Recipient is not { Domain: var domain } address)
            return new RuleAnswer.Pass("no recipient");
        if (await context.AcceptsAsync(domain, ct))
            return new RuleAnswer.Pass($"{domain} is listed here");
        return LookedUp.Answer(
            await context.Names.FindMailAsync(domain, ct),
            unknown => unknown.TakesNone ? Refusals.RecipientTakesNoMail(address) : reply.Of(Refusals.UnknownRecipientDomain(address)),
            Refusals.CannotLookUp(address),
            domain);
    }
}
