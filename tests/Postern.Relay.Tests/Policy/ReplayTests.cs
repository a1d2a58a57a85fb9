using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Explaining;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>A decision of the log, decided again: what the log kept counts, and what nobody knows is said to be unknown.</summary>
public sealed class ReplayTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_log_keeps_is_decided_again_as_things_are_now()
    {
        var judge = new Judge();
        var recorded = Recorded("reject_sender_login_mismatch", "refuse", "553 5.7.1 no (ref K7M3Q9)", login: "alice", from: "bob@example.org");
        Assert.Equal("553 reject_sender_login_mismatch", await ReplayAsync(judge, recorded));
        judge.Directory.Add("alice", addresses: ["bob@example.org"]);
        Assert.Equal("permit permit_authenticated", await ReplayAsync(judge, recorded));
    }

    [Theory]
    [InlineData("reject_unknown_sender_domain", "pass", null, "permit permit")]
    [InlineData("reject_unknown_sender_domain", "refuse", "450 4.1.8 <a@b.test>: Sender address rejected: Domain not found (ref K7M3Q9)", "450 reject_unknown_sender_domain")]
    [InlineData("reject_over_limit recipients: 3/1h, per: client", "pass", null, "permit permit")]
    [InlineData("reject_over_limit recipients: 3/1h, per: client", "refuse", "450 4.7.1 over the limit (ref K7M3Q9)", "450 reject_over_limit")]
    public async Task What_DNS_or_a_count_said_then_is_what_it_says(string entry, string said, string? reply, string outcome) =>
        Assert.Equal(outcome, await ReplayAsync(With(entry), Recorded(RuleEntry.Parse(entry).Word, said, reply)));

    [Theory]
    [InlineData("reject_unknown_sender_domain", "Dns")]
    [InlineData("reject_unknown_client_hostname", "Dns")]
    [InlineData("reject_over_limit recipients: 3/1h, per: client", "Counter")]
    public async Task What_was_not_asked_then_is_unknown(string entry, string why) =>
        Assert.Equal($"unknown {RuleEntry.Parse(entry).Word} {why}", await ReplayAsync(With(entry), Recorded("permit_networks", "permit", reply: null)));

    [Fact]
    public async Task On_trial_it_does_not_matter() =>
        Assert.Equal("permit permit", await ReplayAsync(With("warn_if_reject_unknown_sender_domain"), Recorded("permit_networks", "permit", reply: null)));

    [Fact]
    public async Task Of_a_header_only_what_was_refused_for_it_is_known()
    {
        var judge = new Judge(new PolicyOptions { MessageRules = ["reject_header_from_mismatch"] });
        var permitted = Recorded("permit_authenticated", "permit", reply: null, login: "alice", from: "alice@example.org");
        var refused = permitted with
        {
            Stage = "message",
            Recipient = null,
            Reply = "550 5.7.1 not owned (ref K7M3Q9)",
            Chain = [new RuleStep("reject_header_from_mismatch", "From says", "refuse", Remedy: null)],
        };
        Assert.Equal("permit permit_authenticated", await ReplayAsync(judge, permitted));
        Assert.Equal("550 reject_header_from_mismatch", await ReplayAsync(judge, refused));
        Assert.Equal("unknown reject_header_from_mismatch Header", await ReplayAsync(judge, refused with { Chain = [] }));
    }

    private static Judge With(string entry) => new(new PolicyOptions { SenderRules = [], RecipientRules = [entry, "permit"] });

    private static DecisionEvent Recorded(string rule, string said, string? reply, string? login = null, string from = "a@b.test") => new(
        TimeProvider.System.GetUtcNow(),
        new EventOrigin("s1", "submission", Judge.Stranger) { User = login },
        "K7M3Q9",
        "recipient",
        reply is null ? DecisionOutcome.Permit : DecisionOutcome.Refuse,
        rule,
        from,
        "lisa@far.example") { Reply = reply, Chain = [new RuleStep(rule, "it was so", said, Remedy: null)] };

    private static async Task<string> ReplayAsync(Judge judge, DecisionEvent recorded)
    {
        var question = new PolicyQuestion(
            Judge.Facts(login: recorded.User), Judge.Path(recorded.Sender), recorded.Recipient is { } to ? Mailbox.Parse(to) : null);
        return await judge.Policy.ReplayAsync(question, recorded, Ct) switch
        {
            Replayed.Decided(var decision) => Judge.Outcome(decision),
            Replayed.Unknown(var rule, var why) => $"unknown {rule} {why}",
            _ => "neither",
        };
    }
}
