namespace Postern.Relay.Policy.Rules;

/// <summary>Refuses a session without TLS, for now: a client that can will come again with it.</summary>
internal sealed class RejectPlaintextSession : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public RejectPlaintextSession()
    {
    }

    private RejectPlaintextSession(OwnReply reply) => this.reply = reply;

    public string Name => "reject_plaintext_session";

    public string Doc => "refuse (450): a session without TLS";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc => "`reject_plaintext_session` in a list of rules: 450 for a session without TLS.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectPlaintextSession(OwnReply.Read(arguments, Refusals.Plaintext));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(context.Facts switch
    {
        { IsSystemUser: true } => new RuleAnswer.Pass("left on this machine, by no session"),
        { Tls: { } version } => new RuleAnswer.Pass(version),
        _ => new RuleAnswer.Refuse(
            reply.Of(Refusals.Plaintext),
            "no TLS",
            static (_, _) => new("have the client use STARTTLS, or a listener with implicit TLS"))
        {
            Mend = static world => world.Facts = world.Facts with
            {
                Tls = EnvelopeFacts.UsualTls,
                OffersAuth = world.Facts.OffersAuth || world.Facts.OffersAuthAfterTls,
            },
        },
    });
}
