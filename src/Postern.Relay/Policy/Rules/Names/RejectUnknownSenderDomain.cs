namespace Postern.Relay.Policy.Rules.Names;

/// <summary>
/// Refuses a sender whose domain has no place for mail in DNS, or says that it takes none (RFC 7505). Domains that are listed here are not
/// looked up.
/// </summary>
internal sealed class RejectUnknownSenderDomain : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public RejectUnknownSenderDomain()
    {
    }

    private RejectUnknownSenderDomain(OwnReply reply) => this.reply = reply;

    public string Name => "reject_unknown_sender_domain";

    public string Doc =>
        "refuse (450; 550 for a null MX): the domain of the sender has no place for mail in DNS; domains that are listed "
            + "here are not looked up";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_unknown_sender_domain` in a list of rules: 450 for a sender whose domain has neither an MX record nor an address.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectUnknownSenderDomain(OwnReply.Read(arguments, Refusals.NoSuchDomain));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Sender.Mailbox is not { Domain: var domain } address)
            return new RuleAnswer.Pass("a null sender");
        if (await context.IsListedAsync(domain, ct))
            return new RuleAnswer.Pass($"{domain} is listed here");
        return LookedUp.Answer(
            await context.Names.FindMailAsync(domain, ct),
            unknown => unknown.TakesNone ? Refusals.SenderTakesNoMail(address) : reply.Of(Refusals.UnknownSenderDomain(address)),
            Refusals.CannotLookUp(address),
            domain);
    }
}
