using System.Globalization;
using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>Lists of every stage, arguments, limits that count, and rules that cannot say.</summary>
public sealed class StagesAndLimitsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-limits-").FullName;
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();
    private readonly FakeDirectory directory = new Judge().Directory;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Messages_over_a_limit_wait_even_behind_a_restart()
    {
        var options = new PolicyOptions { SenderRules = ["reject_over_limit messages: 3/1h"] };
        using (var counters = Open())
        {
            var policy = Policy(options, counters);
            for (var i = 0; i < 3; i++)
                Assert.Equal("pass", await MailAsync(policy, "alice"));
            Assert.Equal("450 reject_over_limit", await MailAsync(policy, "alice"));
            Assert.Equal("pass", await MailAsync(policy, "mailer"));
        }

        using var again = Open();
        var after = Policy(options, again);
        Assert.Equal("450 reject_over_limit", await MailAsync(after, "alice"));
        clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal("pass", await MailAsync(after, "alice"));
        Assert.Equal("450 reject_over_limit", await MailAsync(after, "alice"));
    }

    /// <summary>Each flows back by its own time, and a restart changes nothing of that.</summary>
    [Fact]
    public async Task Limits_over_several_times_are_counted_each_for_itself()
    {
        var options = new PolicyOptions { SenderRules = ["reject_over_limit messages: 3/1h", "reject_over_limit messages: 5/1d"] };
        using (var counters = Open())
        {
            var policy = Policy(options, counters);
            for (var i = 0; i < 3; i++)
                Assert.Equal("pass", await MailAsync(policy, "alice"));
            Assert.Equal("450 reject_over_limit", await MailAsync(policy, "alice"));
        }

        using var again = Open();
        var after = Policy(options, again);
        clock.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 2; i++)
            Assert.Equal("pass", await MailAsync(after, "alice"));
        Assert.Equal("450 reject_over_limit", await MailAsync(after, "alice"));
        Assert.Contains("5 of 5/24h messages", audit.Events.OfType<DecisionEvent>().Last().Chain[^1].Saw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_is_told_when_most_of_it_is_used_and_when_all_is_and_not_for_each_refusal()
    {
        using var counters = Open();
        var policy = Policy(new PolicyOptions { SenderRules = ["reject_over_limit messages: 5/1h"] }, counters);
        for (var i = 0; i < 50; i++)
            await MailAsync(policy, "alice");
        await MailAsync(policy, "mailer");

        var told = audit.Events.OfType<LimitEvent>().ToList();
        Assert.Equal([LimitState.Warned, LimitState.Exceeded], told.Select(static e => e.State));
        Assert.All(told, static e => Assert.True(e is { Limit: "login_messages", Whose: "alice", User: "alice", Client: Judge.Stranger, Allowed: "5/1h", Cause.Login: "alice" }, e.ToString()));
        Assert.Equal([4, 5], told.Select(static e => e.Used));

        clock.Advance(TimeSpan.FromMinutes(16)); // one flows back, and is used
        await MailAsync(policy, "alice");
        await MailAsync(policy, "alice");
        Assert.Equal(4, audit.Events.OfType<LimitEvent>().Count());
    }

    [Fact]
    public async Task A_limit_of_strangers_is_within_what_strangers_may_write()
    {
        using var counters = Open();
        var policy = Policy(new PolicyOptions { SenderRules = ["reject_over_limit messages: 1/1h, per: client"] }, counters);
        await MailAsync(policy, login: null, from: "x@foreign.example");
        await MailAsync(policy, login: null, from: "x@foreign.example");
        Assert.All(audit.Events.OfType<LimitEvent>(), static e => Assert.True(e.Cause is { IsStranger: true, Kind: AuditKind.Server, Word: "limit" }));
        Assert.Equal(2, audit.Events.OfType<LimitEvent>().Count());
        await DryAsync(policy, "alice");
        Assert.Equal(2, audit.Events.OfType<LimitEvent>().Count());
    }

    [Fact]
    public async Task A_dry_run_tells_the_count_as_it_is_and_counts_nothing()
    {
        using var counters = Open();
        var policy = Policy(new PolicyOptions { SenderRules = [], RecipientRules = ["reject_over_limit recipients: 2/1d", "permit_authenticated"] }, counters);
        for (var i = 0; i < 10; i++)
            Assert.True((await DryAsync(policy, "alice")).IsPermit);
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        for (var i = 0; i < 2; i++)
            Assert.IsType<Verdict.Permit>(await policy.OnRecipientAsync(session, Mailbox.Parse("a@b.example"), Ct));

        var decision = await DryAsync(policy, "alice");
        var live = Assert.IsType<Verdict.Refuse>(await policy.OnRecipientAsync(session, Mailbox.Parse("a@b.example"), Ct));

        Assert.Equal("450 reject_over_limit", Judge.Outcome(decision));
        Assert.Equal("2 of 2/24h recipients used by alice", decision.Chain[^1].Saw);
        Assert.Equal(decision.Reply!.Lines[0][..^14], live.Reply.Lines[0][..^14]);
    }

    [Fact]
    public async Task What_a_later_rule_refuses_is_not_counted()
    {
        using var counters = Open();
        var policy = Policy(new PolicyOptions { SenderRules = [], RecipientRules = ["reject_over_limit recipients: 1/1h, per: client", "reject_unauth_destination"] }, counters);
        var session = Judge.WithSender(Judge.Session(), "someone@foreign.example");
        for (var i = 0; i < 5; i++)
            Assert.Equal("reject_unauth_destination", Assert.IsType<Verdict.Refuse>(await policy.OnRecipientAsync(session, Mailbox.Parse("x@foreign.example"), Ct)).Rule);
        Assert.IsType<Verdict.Permit>(await policy.OnRecipientAsync(session, Mailbox.Parse("x@example.org"), Ct));
        Assert.Equal("reject_over_limit", Assert.IsType<Verdict.Refuse>(await policy.OnRecipientAsync(session, Mailbox.Parse("x@example.org"), Ct)).Rule);
    }

    [Fact]
    public async Task Without_the_server_a_count_is_unknown_and_says_so()
    {
        var decision = await DryAsync(Policy(new PolicyOptions { MessageRules = ["reject_over_limit messages: 1/1h"] }, counters: null), "alice");
        Assert.True(decision.IsPermit);
        Assert.Equal(("permit_authenticated", "reject_over_limit"), (decision.Rule, decision.Chain[^1].Rule));
        Assert.Contains("unknown", decision.Chain[^1].Saw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_over_its_limit_is_refused_in_the_place_of_250_and_found_in_the_log()
    {
        using var counters = Open();
        var policy = Policy(new PolicyOptions { MessageRules = ["reject_over_limit messages: 1/1h"] }, counters);
        await using var spool = new MemorySpool();
        var store = new SubmissionStore(spool, audit, clock, _ => directory, policy: policy);

        Assert.IsType<StoreOutcome.Stored>(await SubmitAsync(store));
        var refused = Assert.IsType<StoreOutcome.Refused>(await SubmitAsync(store));

        Assert.Equal(450, refused.Reply.Code);
        var decision = Assert.Single(audit.Events.OfType<DecisionEvent>());
        Assert.Equal(("message", "reject_over_limit"), (decision.Stage, decision.Rule));
        Assert.Contains($"(ref {decision.Ref})", refused.Reply.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_and_helo_are_judged_at_mail_in_this_order_and_a_permit_ends_only_its_own_list()
    {
        var policy = Policy(new PolicyOptions
        {
            ClientRules = ["permit_authenticated", "reject_clients 203.0.113.0/24 2001:db8::/32"],
            HeloRules = ["reject_non_fqdn_helo_hostname"],
        }, counters: null);
        Assert.Equal("554 reject_clients", await MailAsync(policy, login: null, helo: "x"));
        Assert.Equal("client", audit.Events.OfType<DecisionEvent>().Last().Stage);
        Assert.Equal("504 reject_non_fqdn_helo_hostname", await MailAsync(policy, login: null, client: "198.51.100.1", helo: "x"));
        Assert.Equal("helo", audit.Events.OfType<DecisionEvent>().Last().Stage);
        Assert.Equal("pass", await MailAsync(policy, login: null, client: "198.51.100.1", helo: "[192.0.2.1]", from: "x@foreign.example"));
        Assert.Equal("553 reject_sender_login_mismatch", await MailAsync(policy, "alice", helo: "x", from: "other@example.org"));
        Assert.Equal("pass", await MailAsync(policy, "alice", helo: "x"));
    }

    [Theory]
    [InlineData("reject_unlisted_domain", "451 reject_unlisted_domain")]
    [InlineData("reject_unlisted_domain on_error: defer", "451 reject_unlisted_domain")]
    [InlineData("reject_unlisted_domain on_error: refuse", "550 reject_unlisted_domain")]
    [InlineData("reject_unlisted_domain on_error: pass", "pass")]
    public async Task A_rule_that_cannot_see_what_it_needs_answers_as_its_entry_says(string entry, string outcome)
    {
        directory.IsUnavailable = true;
        Assert.Equal(outcome, await MailAsync(Policy(new PolicyOptions { SenderRules = [entry] }, counters: null), "alice"));
    }

    [Fact]
    public async Task A_look_up_is_waited_for_so_long_and_no_longer()
    {
        var policy = Policy(new PolicyOptions { SenderRules = ["reject_over_limit messages: 3/1h"] }, new NeverAnswers());
        var asked = MailAsync(policy, "alice");
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(asked.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("451 reject_over_limit", await asked);
    }

    [Theory]
    [InlineData("reject_over_limit", "messages is missing")]
    [InlineData("reject_over_limit 5", "it takes no single argument")]
    [InlineData("reject_over_limit messages: much", "'much' is not right here")]
    [InlineData("reject_over_limit messages: 5/1h, mesages: 5/1h", "it has no argument mesages")]
    [InlineData("reject_clients", "networks is missing")]
    [InlineData("reject_sender_login_mismatch on_error: maybe", "'maybe' is not right here")]
    public void Arguments_that_are_wrong_are_an_error_that_says_what_is(string entry, string problem) =>
        Assert.Contains(problem, Assert.Throws<ArgumentException>(() => Policy(new PolicyOptions { SenderRules = [entry] }, counters: null)).Message, StringComparison.Ordinal);

    private LocalCounters Open() => LocalCounters.Open(Path.Combine(folder, "counters"), audit, clock);

    private RelayPolicy Policy(PolicyOptions options, ICounters? counters) => new(options, directory, audit, clock, counters);

    private static async Task<Decision> DryAsync(RelayPolicy policy, string login) =>
        await policy.DryRunAsync(Judge.Facts(login: login), Judge.Path("alice@example.org"), Mailbox.Parse("a@b.example"), Ct);

    private static async Task<string> MailAsync(RelayPolicy policy, string? login, string client = Judge.Stranger, string helo = "client.example", string? from = null)
    {
        var session = Judge.Session(client, login);
        session.HeloName = helo;
        return await policy.OnSenderAsync(session, Judge.Path(from ?? (login == "mailer" ? "x@example.org" : "alice@example.org")), Ct) switch
        {
            Verdict.Refuse(var reply, var rule) => string.Create(CultureInfo.InvariantCulture, $"{reply.Code} {rule}"),
            Verdict.Permit(var rule) => $"permit {rule}",
            _ => "pass",
        };
    }

    private static async Task<StoreOutcome> SubmitAsync(SubmissionStore store)
    {
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        session.Transaction!.Add(Mailbox.Parse("a@b.example"), RecipientParameters.None, "permit_authenticated");
        await using var draft = Assert.IsType<DraftAnswer.Open>(await store.BeginAsync(session, session.Transaction, Ct)).Draft;
        await draft.AppendAsync(Encoding.ASCII.GetBytes("From: alice@example.org\r\nSubject: x\r\n\r\nx\r\n"), Ct);
        return await draft.CommitAsync(Ct);
    }

    private sealed class NeverAnswers : ICounters
    {
        public ValueTask<CounterLevel> PeekAsync(CounterKey key, Relay.Accounts.RateLimit limit, int cost, CancellationToken ct) => new(new TaskCompletionSource<CounterLevel>().Task);

        public ValueTask<CounterLevel> TakeAsync(CounterKey key, Relay.Accounts.RateLimit limit, int cost, CancellationToken ct) => PeekAsync(key, limit, cost, ct);
    }
}
