using Postern.Relay.Policy;
using Postern.Relay.Policy.Own;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>A rule that is a class of an embedder's program, beside those that ship.</summary>
public sealed class OwnRuleTests
{
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_it_permits_and_refuses_is_explained_by_its_name()
    {
        var policy = Policy(new Own(static question => question.Recipient!.LocalPart == "vip"
            ? new OwnAnswer.Permit("a very important person")
            : new OwnAnswer.Refuse(550, new EnhancedStatus(5, 7, 42), "Not on a Sunday", "it is Sunday")));
        Assert.Equal("permit own_calendar", Judge.Outcome(await AskAsync(policy, "vip@foreign.test")));
        var refused = await AskAsync(policy, "bob@foreign.test");
        Assert.Equal("550 own_calendar", Judge.Outcome(refused));
        Assert.Equal("550 5.7.42 Not on a Sunday (ref DRYRUN)", refused.Reply!.ToString());
        Assert.Contains(refused.Chain, static step => step is { Rule: "own_calendar", Saw: "it is Sunday", Said: "refuse" });
    }

    [Theory]
    [InlineData(RuleStage.Client)]
    [InlineData(RuleStage.Helo)]
    [InlineData(RuleStage.Sender)]
    [InlineData(RuleStage.Recipient)]
    [InlineData(RuleStage.Message)]
    public async Task It_is_asked_at_the_stage_where_it_stands(RuleStage stage)
    {
        var asked = new List<OwnQuestion>();
        var policy = Policy(
            new Own(question =>
            {
                asked.Add(question);
                return new OwnAnswer.Hold("looked at first");
            }),
            stage);
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct);
        await policy.OnRecipientAsync(session, Mailbox.Parse("b@foreign.test"), Ct);
        var verdict = await policy.OnMessageAsync(session, session.Transaction.Sender, new HeaderFacts("alice@example.org", "<1@example.org>", 0), Ct);
        var question = Assert.Single(asked);
        Assert.Equal((stage, "alice", stage == RuleStage.Recipient, stage == RuleStage.Message, false), (question.Stage, question.Facts.Login, question.Recipient is not null, question.Header is not null, question.IsDryRun));
        Assert.Equal([new MessageEffect.Hold("looked at first") { Rule = "own_calendar" }], verdict.Effects);
    }

    [Fact]
    public async Task What_it_sends_elsewhere_goes_there()
    {
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        var policy = Policy(new Own(static _ => new OwnAnswer.Redirect(Mailbox.Parse("catch@example.org"), "all of it")));
        await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct);
        await policy.OnRecipientAsync(session, Mailbox.Parse("b@foreign.test"), Ct);
        var verdict = await policy.OnMessageAsync(session, session.Transaction.Sender, new HeaderFacts("alice@example.org", "<1@example.org>", 0), Ct);
        Assert.Equal([new MessageEffect.Redirect(Mailbox.Parse("catch@example.org"))], verdict.Effects);
    }

    [Fact]
    public async Task One_that_throws_or_answers_nonsense_lets_nobody_in()
    {
        foreach (var broken in new Func<OwnQuestion, OwnAnswer>[]
        {
            static _ => throw new InvalidOperationException("a bug"),
            static _ => throw new OperationCanceledException(),
            static _ => null!,
            static _ => new OwnAnswer.Refuse(250, new EnhancedStatus(2, 0, 0), "fine", "a bug"),
            static _ => new OwnAnswer.Refuse(421, new EnhancedStatus(4, 0, 0), "away", "a bug"),
            static _ => new OwnAnswer.Refuse(550, new EnhancedStatus(4, 0, 0), "mixed", "a bug"),
            static _ => new OwnAnswer.Refuse(550, new EnhancedStatus(5, 0, 0), "two\r\nlines", "a bug"),
        })
            Assert.Equal("451 own_calendar", Judge.Outcome(await AskAsync(Policy(new Own(broken)), "b@foreign.test")));
    }

    [Fact]
    public async Task One_that_does_not_answer_in_its_time_lets_nobody_in()
    {
        var never = new TaskCompletionSource<OwnAnswer>();
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asking = AskAsync(
            Policy(new Own(_ =>
            {
                isAsked.SetResult();
#pragma warning disable VSTHRD002 // It does not even give its thread back.
                return never.Task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
            })),
            "b@foreign.test");
        await isAsked.Task.WaitAsync(Ct); // and so the timer runs
        clock.Advance(TimeSpan.FromSeconds(1));
        var decision = await asking;
        never.SetResult(new OwnAnswer.Permit("too late"));
        Assert.Equal("451 own_calendar", Judge.Outcome(decision));
        Assert.Contains(decision.Chain, static step => step.Saw == "own_calendar: no answer in 1 s");
    }

    [Theory]
    [InlineData("permit")]
    [InlineData("Own")]
    public void One_with_the_word_of_another_rule_or_none_is_told_of(string name) =>
        Assert.Throws<ArgumentException>(() => new RelayPolicy(
            new PolicyOptions { Own = [new Own(static _ => null!) { Name = name }] }, new Judge().Directory, audit, clock));

    private RelayPolicy Policy(IOwnRule rule, RuleStage stage = RuleStage.Recipient)
    {
        System.Collections.Immutable.ImmutableArray<RuleEntry> At(RuleStage of) => of == stage ? [rule.Name] : [];
        return new RelayPolicy(
            new PolicyOptions
            {
                Own = [rule],
                ClientRules = At(RuleStage.Client),
                HeloRules = At(RuleStage.Helo),
                SenderRules = At(RuleStage.Sender),
                RecipientRules = [.. At(RuleStage.Recipient), "permit_authenticated", "reject_unauth_destination"],
                MessageRules = At(RuleStage.Message),
            },
            new Judge().Directory,
            audit,
            clock);
    }

    private static async Task<Decision> AskAsync(RelayPolicy policy, string recipient) =>
        await policy.DryRunAsync(Judge.Facts(), Judge.Path("a@x.test"), Mailbox.Parse(recipient), Ct);

    private sealed class Own(Func<OwnQuestion, OwnAnswer> answer) : IOwnRule
    {
        public string Name { get; init; } = "own_calendar";

        public TimeSpan Timeout => TimeSpan.FromSeconds(1);

        public ValueTask<OwnAnswer> AnswerAsync(OwnQuestion question, CancellationToken ct) => new(answer(question));
    }
}
