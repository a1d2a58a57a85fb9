using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;

namespace Postern.Relay.Tests.Policy;

/// <summary>What lists of rules can do whatever their rules are: lists that have a name, rules on trial, replies in own words.</summary>
public sealed class RuleMachineryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static PolicyOptions With(ImmutableArray<RuleEntry> recipient, params (string Name, ImmutableArray<RuleEntry> Entries)[] lists) => new()
    {
        Networks = [IPNetwork.Parse("10.1.0.0/16")],
        SenderRules = [],
        RecipientRules = recipient,
        Classes = lists.ToImmutableSortedDictionary(static l => l.Name, static l => l.Entries, StringComparer.Ordinal),
    };

    [Theory]
    [InlineData(Judge.Trusted, "permit permit_networks", "partners permit_networks")]
    [InlineData(Judge.Stranger, "554 reject", "partners permit_networks reject")]
    public async Task A_list_that_has_a_name_decides_for_the_list_that_asks_it(string client, string outcome, string chain)
    {
        var judge = new Judge(With(["partners", "permit"], ("partners", ["permit_networks", "reject"])));
        var decision = await judge.DecideAsync(Judge.Facts(client), "a@foreign.test", "b@foreign.test");
        Assert.Equal(outcome, Judge.Outcome(decision));
        Assert.Equal(chain.Split(' '), decision.Chain.Select(static step => step.Rule));
    }

    [Fact]
    public async Task Where_it_passes_the_next_rule_decides()
    {
        var judge = new Judge(With(["outer", "reject_unauth_destination"], ("outer", ["inner"]), ("inner", ["permit_networks"])));
        Assert.Equal("550 reject_unauth_destination", await judge.OutcomeAsync(Judge.Facts(), "a@foreign.test", "b@foreign.test"));
    }

    [Theory]
    [InlineData("a: b, b: c, c: a", "the list a asks itself: a -> b -> c -> a")]
    [InlineData("a: a", "the list a asks itself: a -> a")]
    [InlineData("a: warn_if_a", "the list a asks itself: a -> a")]
    [InlineData("a: reject_header_from_mismatch", "the list a: the rule reject_header_from_mismatch cannot stand at the recipient stage")]
    [InlineData("a: b, b: nothing", "the list b: no rule is called nothing")]
    public void A_list_that_cannot_be_asked_is_told_so(string lists, string problem)
    {
        var all = lists.Split(", ").Select(static l => l.Split(": ")).ToImmutableSortedDictionary(
            static l => l[0], static l => ImmutableArray.Create<RuleEntry>(l[1]), StringComparer.Ordinal);
        Assert.StartsWith(problem, RelayRules.WhyNotAsked("a", RuleStage.Recipient, all), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Judge(new PolicyOptions { RecipientRules = ["a"], Classes = all }));
    }

    [Theory]
    [InlineData("warn_if_reject_clients 203.0.113.0/24", "would refuse", "554 5.7.1: client 203.0.113.9 is in 203.0.113.0/24")]
    [InlineData("warn_if_reject_clients 192.0.2.0/24", "pass", "client 203.0.113.9 is in none of its networks")]
    [InlineData("warn_if_permit", "would permit", "all that come to it")]
    [InlineData("warn_if_hold", "would act", "the message waits: a rule holds it")]
    [InlineData("warn_if_strict", "would refuse", "554 5.7.1: all that come to it")]
    [InlineData("warn_if_mild", "pass", "all of its rules pass")]
    public async Task A_rule_on_trial_is_told_and_counted_and_nothing_comes_of_it(string rule, string said, string saw)
    {
        var judge = new Judge(With(
            [rule, "reject_unauth_destination"], ("strict", ["permit_networks", "reject"]), ("mild", ["permit_networks", "hold"])));
        var session = Judge.WithSender(Judge.Session(), "a@foreign.test");
        var verdict = await judge.Policy.OnRecipientAsync(session, Mailbox.Parse("b@example.org"), Ct);
        Assert.IsType<Verdict.Permit>(verdict);
        Assert.Empty((await judge.Policy.OnMessageAsync(session, Judge.Path("a@foreign.test"), new HeaderFacts(null, null, 0), Ct)).Effects);
        var step = (await judge.DecideAsync(Judge.Facts(), "a@foreign.test", "b@example.org")).Chain[0];
        Assert.Equal((rule.Split(' ')[0], said, saw), (step.Rule, step.Said, step.Saw));
        Assert.Equal(said.StartsWith("would ref", StringComparison.Ordinal) || said == "would permit" ? 1 : 0, judge.Policy.Trials.Counts.Sum(static c => c.Count));
    }

    [Theory]
    [InlineData("reject", "554 5.7.1 Access denied")]
    [InlineData("reject text: not here, go away", "554 5.7.1 not here")]
    [InlineData("reject text: \"not here, go away\"", "554 5.7.1 not here, go away")]
    [InlineData("reject code: 450", "450 4.7.1 Access denied")]
    [InlineData("reject status: 4.3.2", "450 4.3.2 Access denied")]
    [InlineData("reject code: 551, status: 5.1.6, text: \"try: b@c.test\"", "551 5.1.6 try: b@c.test")]
    [InlineData("defer", "450 4.7.1 Access denied for now, try again later")]
    [InlineData("reject_plaintext_session code: 530, status: 5.7.0, text: Must issue a STARTTLS command first", "530 5.7.0 Must issue a STARTTLS command first")]
    public async Task A_refusal_can_be_said_in_own_words(string rule, string reply)
    {
        if (rule.Contains("go away", StringComparison.Ordinal) && !rule.Contains('"', StringComparison.Ordinal))
        {
            Assert.Throws<ArgumentException>(() => new Judge(With([rule])));
            return;
        }

        var said = (await new Judge(With([rule])).DecideAsync(Judge.Facts(), "a@foreign.test", "b@foreign.test")).Reply!.ToString();
        Assert.Equal($"{reply} (ref DRYRUN)", said);
    }

    [Theory]
    [InlineData("a", "plain")]
    [InlineData("text", "with, a comma: and a colon")]
    [InlineData("text", "\"quoted\" and \\ back, \\\" both")]
    [InlineData("text", "ends with \\")]
    public void Arguments_are_read_as_they_were_written(string key, string value) => Assert.Equal(
        [(key, value), ("b", "c, d")], ArgumentText.Split($"{ArgumentText.Of(key, value)}, {ArgumentText.Of("b", "c, d")}"));

    [Fact]
    public async Task The_change_that_permits_is_to_take_the_rule_out_where_nothing_less_does()
    {
        var judge = new Judge(With(["reject_non_fqdn_recipient", "reject_plaintext_session", "permit"]));
        var change = await judge.Policy.ShortestChangeAsync(Judge.Facts(), Judge.Path("a@foreign.test"), Mailbox.Parse("b@short"), Ct);
        Assert.Equal(
            ["have the client use STARTTLS, or a listener with implicit TLS", "take reject_non_fqdn_recipient out of rules in postern.yaml, for all whom it refuses"],
            change);
    }
}
