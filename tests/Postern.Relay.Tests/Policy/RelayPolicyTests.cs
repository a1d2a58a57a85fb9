using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;

namespace Postern.Relay.Tests.Policy;

/// <summary>Replies, networks, lists, and what a live session does.</summary>
public sealed class RelayPolicyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, false, "530 5.7.0 Authentication required (ref DRYRUN)")]
    [InlineData(false, true, "530 5.7.0 Authentication required, after STARTTLS (ref DRYRUN)")]
    [InlineData(false, false, "550 5.7.1 <lisa@far.example>: Relay access denied (ref DRYRUN)")]
    public async Task A_stranger_is_asked_to_log_in_only_where_that_would_help(bool auth, bool authAfterTls, string reply)
    {
        var decision = await new Judge().DecideAsync(Judge.Facts(auth: auth, authAfterTls: authAfterTls), "x@foreign.example", "lisa@far.example");
        Assert.Equal(reply, decision.Reply?.ToString());
    }

    [Theory]
    [InlineData("alice", "bob@example.org", "553 5.7.1 <bob@example.org>: Sender address rejected: not owned by user alice (ref DRYRUN)")]
    [InlineData("alice", "x@foreign.example", "550 5.7.1 <x@foreign.example>: Sender address rejected: its domain is not listed here (ref DRYRUN)")]
    [InlineData("carol", "carol@example.org", "550 5.7.1 <carol@example.org>: Sender address rejected: account disabled: carol (ref DRYRUN)")]
    [InlineData(null, "alice@example.org", "550 5.7.1 <alice@example.org>: Sender address rejected: not logged in (ref DRYRUN)")]
    public async Task A_refused_sender_is_told_why(string? login, string sender, string reply)
    {
        var decision = await new Judge().DecideAsync(Judge.Facts(login: login), sender, "lisa@far.example");
        Assert.Equal(reply, decision.Reply?.ToString());
        Assert.Null(decision.Recipient);
        Assert.Equal(RuleStage.Sender, decision.Stage);
    }

    /// <summary>Whichever spelling was granted, and whichever is said.</summary>
    [Theory]
    [InlineData("a..b@example.org")]
    [InlineData("A..B@example.org")]
    [InlineData("\"a..b\"@example.org")]
    public async Task Dots_with_and_without_quotes_have_the_same_rights(string sender)
    {
        foreach (var typed in new[] { "a..b@example.org", "\"a..b\"@example.org" })
        {
            Assert.True(Postern.Relay.Admin.MailNames.TryAddress(typed, out var granted));
            var judge = new Judge();
            judge.Directory.Add("docomo", addresses: [granted]).Add("other", addresses: ["a.b@example.org", "ab@example.org"]);
            Assert.Equal("permit permit_authenticated", await judge.OutcomeAsync(Judge.Facts(login: "docomo"), sender, "lisa@far.example"));
            Assert.StartsWith("553 ", await judge.OutcomeAsync(Judge.Facts(login: "other"), sender, "lisa@far.example"));
        }
    }

    [Fact]
    public async Task No_reply_is_longer_than_a_reply_line_may_be()
    {
        var judge = new Judge();
        judge.Directory.Add(new string('u', 3_000)).List(LongestDomain);
        foreach (var login in new[] { null, new string('u', 3_000), new string('v', 3_000) })
        {
            var decision = await judge.DecideAsync(Judge.Facts(login: login), $"{new string('a', 64)}@{LongestDomain}", $"{new string('b', 64)}@{LongestDomain}");
            Assert.InRange(decision.Reply!.Encoded.Length, 1, 512);
        }
    }

    [Theory]
    [InlineData("10.1.0.0/16", "::ffff:10.1.2.3", true)]
    [InlineData("::ffff:10.1.0.0/112", "10.1.2.3", true)]
    [InlineData("::ffff:10.1.0.0/112", "::ffff:10.1.2.3", true)]
    [InlineData("::ffff:10.1.0.0/112", "10.3.2.3", false)]
    [InlineData("2001:db8:1::/48", "2001:db8:1:ffff::7", true)]
    [InlineData("2001:db8:1::/48", "2001:db8:2::7", false)]
    [InlineData("2001:db8::7/128", "2001:db8::7", true)]
    [InlineData("0.0.0.0/0", "2001:db8::7", false)]
    [InlineData("::/0", "10.1.2.3", false)]
    [InlineData("fe80::/10", "fe80::1%3", true)]
    public async Task A_network_holds_its_clients_in_every_spelling(string network, string client, bool permitted)
    {
        var judge = new Judge(new PolicyOptions { Networks = [IPNetwork.Parse(network)] });
        var decision = await judge.DecideAsync(Judge.Facts(client), "alice@example.org", "lisa@far.example");
        Assert.Equal(permitted, decision.IsPermit);
    }

    [Theory]
    [InlineData("::ffff:10.2.3.4")]
    [InlineData("2001:db8:7::1")]
    public async Task An_allowed_network_may_send_for_its_domain_in_both_families(string client)
    {
        var judge = new Judge();
        judge.Directory.Allow("2001:db8:7::/48", "example.org");
        Assert.Equal("permit permit_network_for_domain", await judge.OutcomeAsync(Judge.Facts(client), "any@example.org", "lisa@far.example"));
    }

    [Theory]
    [InlineData("user@other.test")]
    [InlineData("user%other.test@example.org")]
    [InlineData("user%other.test@[127.0.0.1]")]
    [InlineData("\"user@other.test\"@example.org")]
    [InlineData("\"user%other.test\"@example.org")]
    [InlineData("\"user\\@other.test\"@example.org")]
    [InlineData("other.test!user@example.org")]
    [InlineData("\"other.test!user\"@example.org")]
    [InlineData("other.test!user%x.test@example.org")]
    [InlineData("user%other.test%example.org@example.org")]
    [InlineData("user%other.test@sub.example.org")]
    [InlineData("user@[203.0.113.5]")]
    [InlineData("@example.org:user@other.test")]
    [InlineData("@example.org,@x.test:user@other.test")]
    [InlineData("user@other.test@example.org")]
    [InlineData("user@example.org@other.test")]
    [InlineData("\"user@other.test\"")]
    [InlineData("user%other.test")]
    [InlineData("other.test!user")]
    public async Task Row_108_no_form_of_routing_makes_an_accepted_domain_relay(string recipient)
    {
        if (!Mailbox.TryParse(recipient, out var mailbox))
            return; // the grammar refuses it before any rule is asked
        var decision = await new Judge().DecideAsync(Judge.Facts(), "x@foreign.example", mailbox.Address);
        Assert.Equal("550 reject_unauth_destination", Judge.Outcome(decision));
    }

    [Fact]
    public async Task A_login_may_write_to_any_local_part()
    {
        Assert.Equal("permit permit_authenticated", await new Judge().OutcomeAsync(Judge.Facts(login: "alice"), "alice@example.org", "a!b%c@far.example"));
    }

    [Fact]
    public async Task Domains_of_the_configuration_accept_and_are_protected_like_those_of_the_directory()
    {
        var judge = new Judge(new PolicyOptions { Domains = System.Collections.Frozen.FrozenSet.ToFrozenSet([Domain.Parse("configured.example")]) });
        Assert.Equal("permit reject_unauth_destination", await judge.OutcomeAsync(Judge.Facts(), "x@foreign.example", "a@configured.example"));
        Assert.Equal("550 reject_sender_login_mismatch", await judge.OutcomeAsync(Judge.Facts(), "a@configured.example", "a@configured.example"));
    }

    [Fact]
    public async Task An_unavailable_directory_is_a_temporary_failure_and_never_a_permit()
    {
        var judge = new Judge();
        judge.Directory.IsUnavailable = true;
        foreach (var login in new[] { null, "alice" })
        {
            var decision = await judge.DecideAsync(Judge.Facts(login: login), "alice@example.org", "lisa@far.example");
            Assert.Equal("451 4.3.0 Temporary failure, try again later (ref DRYRUN)", decision.Reply?.ToString());
            Assert.Contains("database is locked", decision.Chain[^1].Saw, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null, "alice@example.org", "lisa@far.example")]
    [InlineData("alice", "bob@example.org", "lisa@far.example")]
    [InlineData("carol", "carol@example.org", "lisa@far.example")]
    [InlineData("nobody", "x@unknown.example", "lisa@far.example")]
    [InlineData("mailer", "x@example.org", "lisa@far.example")]
    public async Task A_directory_that_answers_later_decides_and_advises_as_one_that_answers_at_once(string? login, string from, string to)
    {
        var (near, far) = (new Judge(), new Judge());
        far.Directory.IsFar = true;
        var facts = Judge.Facts(login: login, auth: true);
        var (expected, decision) = (await near.DecideAsync(facts, from, to), await far.DecideAsync(facts, from, to));
        Assert.Equal(expected.Reply?.ToString(), decision.Reply?.ToString());
        Assert.Equal(expected.Chain, decision.Chain);
        Assert.Equal(
            await near.Policy.ShortestChangeAsync(facts, Judge.Path(from), Mailbox.Parse(to), Ct),
            await far.Policy.ShortestChangeAsync(facts, Judge.Path(from), Mailbox.Parse(to), Ct));
    }

    [Fact]
    public async Task A_directory_that_fails_at_the_recipient_is_a_temporary_failure_and_is_recorded()
    {
        var judge = new Judge();
        var session = Judge.WithSender(Judge.Session(), "x@foreign.example");
        Assert.IsType<Verdict.Pass>(await judge.Policy.OnSenderAsync(session, Judge.Path("x@foreign.example"), Ct));
        judge.Directory.IsUnavailable = true;

        var refuse = Assert.IsType<Verdict.Refuse>(await judge.Policy.OnRecipientAsync(session, Mailbox.Parse("a@example.org"), Ct));
        Assert.Equal(451, refuse.Reply.Code);
        Assert.Equal(DecisionOutcome.Refuse, Assert.IsType<DecisionEvent>(Assert.Single(judge.Audit.Events)).Outcome);
    }

    [Fact]
    public async Task The_end_of_the_recipient_list_refuses()
    {
        var judge = new Judge(new PolicyOptions { SenderRules = [], RecipientRules = [] });
        var decision = await judge.DecideAsync(Judge.Facts(login: "alice"), "alice@example.org", "someone@example.org");
        Assert.Equal("550 end_of_list", Judge.Outcome(decision));
    }

    [Fact]
    public async Task A_permitted_recipient_is_one_event_whose_chain_begins_at_the_sender_stage()
    {
        var judge = new Judge();
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        await judge.Policy.OnSenderAsync(session, Judge.Path("alice@example.org"), Ct);
        Assert.Empty(judge.Audit.Events);

        Assert.Equal(new Verdict.Permit("permit_authenticated"), await judge.Policy.OnRecipientAsync(session, Mailbox.Parse("lisa@far.example"), Ct));
        var decision = Assert.IsType<DecisionEvent>(Assert.Single(judge.Audit.Events));
        Assert.Equal(
            ["reject_unlisted_domain pass", "reject_sender_login_mismatch pass", "permit_networks pass", "permit_authenticated permit"],
            decision.Chain.Select(static step => $"{step.Rule} {step.Said}"));
        Assert.All(decision.Chain, static step => Assert.Null(step.Remedy));
        Assert.Equal(("s1", "submission", Judge.Stranger, "alice", DecisionOutcome.Permit, "recipient"), (decision.Session, decision.Listener, decision.Client, decision.User, decision.Outcome, decision.Stage));
    }

    [Fact]
    public async Task A_refused_sender_is_one_event_under_the_reference_of_its_reply()
    {
        var judge = new Judge();
        var refuse = Assert.IsType<Verdict.Refuse>(await judge.Policy.OnSenderAsync(Judge.Session(login: "alice"), Judge.Path("bob@example.org"), Ct));
        var decision = Assert.IsType<DecisionEvent>(Assert.Single(judge.Audit.Events));
        Assert.EndsWith($"(ref {decision.Ref})", refuse.Reply.Lines[^1], StringComparison.Ordinal);
        Assert.Equal(refuse.Reply.ToString(), decision.Reply);
        Assert.Equal("postern account grant alice --address bob@example.org", decision.Chain[^1].Remedy);
    }

    [Fact]
    public async Task A_recipient_of_another_sender_than_the_one_judged_is_judged_from_the_start()
    {
        var judge = new Judge();
        var session = Judge.Session(login: "alice");
        await judge.Policy.OnSenderAsync(session, Judge.Path("alice@example.org"), Ct);
        Judge.WithSender(session, "bob@example.org");

        var refuse = Assert.IsType<Verdict.Refuse>(await judge.Policy.OnRecipientAsync(session, Mailbox.Parse("lisa@far.example"), Ct));
        Assert.Equal((553, "reject_sender_login_mismatch"), (refuse.Reply.Code, refuse.Rule));
    }

    [Fact]
    public async Task An_account_removed_between_sender_and_recipient_no_longer_relays()
    {
        var judge = new Judge();
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        await judge.Policy.OnSenderAsync(session, Judge.Path("alice@example.org"), Ct);
        judge.Directory.Remove("alice");

        var refuse = Assert.IsType<Verdict.Refuse>(await judge.Policy.OnRecipientAsync(session, Mailbox.Parse("lisa@far.example"), Ct));
        Assert.Equal(550, refuse.Reply.Code);
    }

    [Fact]
    public async Task An_anonymous_login_is_no_login()
    {
        var judge = new Judge();
        judge.Directory.Add("anonymous", addresses: ["anonymous@example.org"]);
        var session = Judge.Session(login: "anonymous", mechanism: "anonymous");
        var refuse = Assert.IsType<Verdict.Refuse>(await judge.Policy.OnSenderAsync(session, Judge.Path("anonymous@example.org"), Ct));
        Assert.Equal(550, refuse.Reply.Code);
    }

    [Fact]
    public async Task A_dry_run_gives_the_live_decision()
    {
        foreach (var (login, from, to) in new[] { ("alice", "alice@example.org", "lisa@far.example"), ("alice", "bob@example.org", "lisa@far.example"), (null, "x@foreign.example", "lisa@far.example") })
        {
            var judge = new Judge();
            var session = Judge.WithSender(Judge.Session(login: login), from);
            if (await judge.Policy.OnSenderAsync(session, Judge.Path(from), Ct) is not Verdict.Refuse)
                await judge.Policy.OnRecipientAsync(session, Mailbox.Parse(to), Ct);
            var live = Assert.IsType<DecisionEvent>(Assert.Single(judge.Audit.Events));

            var dry = (await judge.DecideAsync(Judge.Facts(login: login), from, to)).ToAuditEvent();
            Assert.Equal<RuleStep>([.. live.Chain], [.. dry.Chain]);
            Assert.Equal(
                live with { Cause = null, Chain = default, Ref = "", At = default, Origin = live.Origin with { Session = "" }, Reply = live.Reply?.Replace(live.Ref, "", StringComparison.Ordinal) },
                dry with { Chain = default, Ref = "", At = default, Origin = dry.Origin with { Session = "" }, Reply = dry.Reply?.Replace(dry.Ref, "", StringComparison.Ordinal) });
            Assert.Single(judge.Audit.Events);
        }
    }

    [Fact]
    public async Task A_remedy_can_be_pasted_into_a_shell_whatever_the_sender_is_called()
    {
        var decision = await new Judge().DecideAsync(Judge.Facts(login: "alice"), "\"$(reboot);'x\"@example.org", "lisa@far.example");
        Assert.Equal(@"postern account grant alice --address '""$(reboot);'\''x""@example.org'", decision.Chain[^1].Remedy);
    }

    /// <summary>Beside the longest local part: a path has 256 octets (RFC 5321 §4.5.3.1.3).</summary>
    private static string LongestDomain => string.Join('.', Enumerable.Repeat(new string('d', 62), 3));
}
