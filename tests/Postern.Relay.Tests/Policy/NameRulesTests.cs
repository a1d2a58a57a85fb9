using Postern.Relay.Policy;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>Rules that look at names: whole ones, ones that DNS knows, sessions and certificates.</summary>
public sealed class NameRulesTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("reject_non_fqdn_sender", "a@short", "b@example.org", "504 5.5.2 <a@short>: Sender address rejected: need fully-qualified address")]
    [InlineData("reject_non_fqdn_sender", "a@whole.test", "b@example.org", null)]
    [InlineData("reject_non_fqdn_sender", "a@[192.0.2.1]", "b@example.org", null)]
    [InlineData("reject_non_fqdn_sender", "", "b@example.org", null)]
    [InlineData("reject_non_fqdn_recipient", "a@short", "b@short", "504 5.5.2 <b@short>: Recipient address rejected: need fully-qualified address")]
    [InlineData("reject_non_fqdn_recipient", "a@short", "b@whole.test", null)]
    [InlineData("reject_unknown_sender_domain", "a@known.test", "b@example.org", null)]
    [InlineData("reject_unknown_sender_domain", "a@example.org", "b@example.org", null)]
    [InlineData("reject_unknown_sender_domain", "", "b@example.org", null)]
    [InlineData("reject_unknown_sender_domain", "a@nowhere.test", "b@example.org", "450 4.1.8 <a@nowhere.test>: Sender address rejected: Domain not found")]
    [InlineData("reject_unknown_sender_domain code: 550", "a@nowhere.test", "b@example.org", "550 5.1.8 <a@nowhere.test>: Sender address rejected: Domain not found")]
    [InlineData("reject_unknown_sender_domain", "a@none.test", "b@example.org", "550 5.7.27 <a@none.test>: Sender address rejected: its domain takes no mail (null MX)")]
    [InlineData("reject_unknown_sender_domain", "a@silent.test", "b@example.org", "451 4.4.3 <a@silent.test>: its domain cannot be looked up now, try again later")]
    [InlineData("reject_unknown_recipient_domain", "a@known.test", "b@nowhere.test", "450 4.1.2 <b@nowhere.test>: Recipient address rejected: Domain not found")]
    [InlineData("reject_unknown_recipient_domain", "a@known.test", "b@none.test", "556 5.1.10 <b@none.test>: Recipient address rejected: its domain takes no mail (null MX)")]
    [InlineData("reject_unknown_recipient_domain", "a@nowhere.test", "b@known.test", null)]
    [InlineData("reject_unknown_recipient_domain", "a@nowhere.test", "b@example.org", null)]
    [InlineData("reject_unknown_helo_hostname", "a@known.test", "b@example.org", "450 4.7.1 Helo command rejected: Host not found")]
    [InlineData("reject_unknown_client_hostname", "a@known.test", "b@example.org", "450 4.7.25 Client host rejected: its address has no name that leads back to it")]
    [InlineData("reject_plaintext_session", "a@known.test", "b@example.org", "450 4.7.1 Session encryption is required: use STARTTLS")]
    public async Task A_rule_refuses_what_its_name_says(string rule, string from, string to, string? reply)
    {
        var policy = Policy([rule, "permit"]);
        var decision = await policy.DryRunAsync(Judge.Facts() with { Helo = "nowhere.test" }, Judge.Path(from), Mailbox.Parse(to), Ct);
        Assert.Equal(reply is null ? null : $"{reply} (ref DRYRUN)", decision.Reply?.ToString());
        if (reply is not null)
            Assert.NotEmpty(await policy.ShortestChangeAsync(Judge.Facts() with { Helo = "nowhere.test" }, Judge.Path(from), Mailbox.Parse(to), Ct));
    }

    [Fact]
    public async Task A_client_that_has_a_name_of_its_own_and_tls_passes()
    {
        var facts = Judge.Facts("192.0.2.1") with { Helo = "known.test", Tls = "TLSv1.3" };
        var decision = await Policy(["reject_unknown_client_hostname", "reject_unknown_helo_hostname", "reject_plaintext_session", "permit"])
            .DryRunAsync(facts, Judge.Path("a@known.test"), Mailbox.Parse("b@known.test"), Ct);
        Assert.True(decision.IsPermit, decision.Reply?.ToString());
    }

    [Fact]
    public async Task Where_nobody_asks_dns_the_client_comes_again()
    {
        var decision = await new Judge(new PolicyOptions { SenderRules = ["reject_unknown_sender_domain"] }).DecideAsync(Judge.Facts(), "a@foreign.test", "b@example.org");
        Assert.Equal("451 reject_unknown_sender_domain", Judge.Outcome(decision));
    }

    [Fact]
    public async Task A_client_is_permitted_by_its_certificate_and_by_no_other()
    {
        var known = new string('a', 64);
        var policy = Policy([$"permit_tls_client_certificate {string.Join(':', Enumerable.Repeat("AA", 32))}", "reject_unauth_destination"]);
        foreach (var (shown, isPermitted) in new[] { (known, true), (new string('b', 64), false), ((string?)null, false) })
        {
            var decision = await policy.DryRunAsync(Judge.Facts() with { Certificate = shown }, Judge.Path("a@foreign.test"), Mailbox.Parse("b@foreign.test"), Ct);
            Assert.Equal(isPermitted, decision.IsPermit);
        }
    }

    private static RelayPolicy Policy(string[] recipient) => new(
        new PolicyOptions { SenderRules = [], RecipientRules = [.. recipient.Select(RuleEntry.Parse)] },
        new Judge().Directory,
        new RecordingAuditLog(),
        TimeProvider.System,
        names: new SaidNames());
}
