namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses a client that does not wait for replies that it has to wait for (RFC 2920 §3.1): programs that send mail without looking at what
/// they are answered. The session itself goes on reading what they send, and only notes it.
/// </summary>
internal sealed class RejectUnauthPipelining : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public RejectUnauthPipelining()
    {
    }

    private RejectUnauthPipelining(OwnReply reply) => this.reply = reply;

    public string Name => "reject_unauth_pipelining";

    public string Doc =>
        "refuse (503): the client has sent commands ahead before EHLO offered PIPELINING (all of a session by HELO), or behind one whose "
            + "reply it has to wait for: EHLO, HELO, DATA, NOOP, VRFY, EXPN. Content sent ahead of 354 is known at `message`";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc => "`reject_unauth_pipelining` in a list of rules: 503 for a client that does not wait for replies.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectUnauthPipelining(OwnReply.Read(arguments, Refusals.UnauthPipelining));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(context.Question.PipelinedBehind is { } verb
        ? new RuleAnswer.Refuse(
            reply.Of(Refusals.UnauthPipelining), $"the client did not wait for the reply to {verb}", Remedies.TakeOut(this))
        : new RuleAnswer.Pass("it waited where it has to"));
}
