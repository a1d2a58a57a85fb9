namespace Postern.Relay.Policy.Rules.Names;

/// <summary>Refuses a client whose address has no name that leads back to it.</summary>
internal sealed class RejectUnknownClientHostname : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public RejectUnknownClientHostname()
    {
    }

    private RejectUnknownClientHostname(OwnReply reply) => this.reply = reply;

    public string Name => "reject_unknown_client_hostname";

    public string Doc => "refuse (450): the address of the client has no name in DNS that has that address again";

    public RuleStage Stages => RuleStage.Client | RuleStage.Helo | RuleStage.Sender | RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_unknown_client_hostname` in a list of rules: 450 for a client whose address has no name that has that address again.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectUnknownClientHostname(OwnReply.Read(arguments, Refusals.UnknownClient));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => LookedUp.Answer(
        await context.Names.FindClientAsync(context.Facts.Client, ct),
        _ => reply.Of(Refusals.UnknownClient),
        Refusals.CannotLookUpClient,
        $"whoever runs the network of {context.Facts.Client} has to give it a name (PTR) that has that address again",
        static world => world.HasClientName = true);
}
