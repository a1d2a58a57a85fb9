using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>The limits of the configuration, asked of the policy as sessions ask it.</summary>
public sealed class LimitsTests : IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly string folder = Directory.CreateTempSubdirectory("postern-use-").FullName;
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();
    private readonly FakeDirectory directory = new Judge().Directory;
    private readonly LocalCounters counters;

    public LimitsTests() => counters = LocalCounters.Open(Path.Combine(folder, "counters"), audit, clock, Path.Combine(folder, "limits"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        counters.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Recipients_over_the_limit_of_a_login_are_put_off_and_told_until_when_and_others_go_on()
    {
        var policy = Policy(Limit(LimitScope.Logins, (LimitThing.Recipients, new(3, Hour))));
        for (var i = 0; i < 3; i++)
            Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice"));

        var refusal = Assert.IsType<Verdict.Refuse>(await AskAsync(policy, "alice"));

        Assert.Equal("limits", refusal.Rule);
        Assert.Equal(("450", "4.7.1"), (refusal.Reply.Code.ToString(CultureInfo.InvariantCulture), refusal.Reply.Status!.Value.ToString()));
        Assert.StartsWith("<a@b.example>: Recipient address rejected: over the limit of 3/1h recipients of this login, try again in 61 min (ref ", refusal.Reply.Lines[0], StringComparison.Ordinal);
        var step = audit.Events.OfType<DecisionEvent>().Last().Chain[^1];
        Assert.Equal(("limits", "refuse"), (step.Rule, step.Said));
        Assert.Equal("3 of 3/1h recipients used by alice (limits.logins.recipients), free again in 61 min", step.Saw);
        Assert.Equal("postern limits raise alice recipients 6/1h --for 2h", step.Remedy);
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "mailer"));
        clock.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice"));
    }

    [Fact]
    public async Task What_the_rules_refuse_is_not_counted_and_a_permit_at_MAIL_is_no_way_around()
    {
        var limits = Limit(LimitScope.Logins, (LimitThing.Recipients, new(2, Hour)));
        var strict = Policy(limits, new PolicyOptions { RecipientRules = ["reject_non_fqdn_recipient", "permit_authenticated"] });
        for (var i = 0; i < 5; i++)
            Assert.Equal("504 reject_non_fqdn_recipient", await RcptAsync(strict, "alice", to: "a@b"));
        Assert.Equal("permit permit", await RcptAsync(Policy(limits, new PolicyOptions { SenderRules = ["permit"], RecipientRules = ["permit"] }), "alice"));
        Assert.Equal("permit permit_authenticated", await RcptAsync(strict, "alice"));
        Assert.Equal("450 limits", await RcptAsync(strict, "alice"));
    }

    [Fact]
    public async Task Several_windows_count_each_for_itself_and_the_longest_wait_is_told()
    {
        var policy = Policy(Limit(LimitScope.Logins, (LimitThing.Recipients, new(2, Hour)), (LimitThing.Recipients, new(3, TimeSpan.FromDays(1)))));
        await RcptAsync(policy, "alice");
        await RcptAsync(policy, "alice");
        Assert.Equal("450 limits", await RcptAsync(policy, "alice"));
        clock.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice"));
        var text = Assert.IsType<Verdict.Refuse>(await AskAsync(policy, "alice")).Reply.Lines[0];
        Assert.Contains("over the limit of 3/1d recipients of this login, try again in 24 h", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Somebody_who_has_a_limit_of_his_own_has_that_and_what_else_counts_for_all()
    {
        ImmutableArray<ThingLimit> all = [new(LimitThing.Recipients, new(1, Hour)), new(LimitThing.DistinctRecipients, new(2, Hour))];
        var policy = Policy(new ScopeLimits(LimitScope.Logins, all)
        {
            Own = new Dictionary<string, ImmutableArray<ThingLimit>> { ["alice"] = ScopeLimits.Merge(all, [new(LimitThing.Recipients, new(3, Hour))]) }.ToFrozenDictionary(),
            Rejects = true,
        });
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "mailer"));
        Assert.Equal("550 limits", await RcptAsync(policy, "mailer"));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice", to: "a@b.example"));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice", to: "A@B.example"));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice", to: "c@b.example"));
        Assert.Equal("550 limits", await RcptAsync(policy, "alice", to: "d@b.example"));
    }

    [Theory]
    [InlineData(LimitScope.Addresses, Judge.Stranger, Judge.Stranger, "203.0.113.10")]
    [InlineData(LimitScope.Addresses, "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1")]
    [InlineData(LimitScope.Networks, Judge.Stranger, "203.0.113.200", "203.0.114.1")]
    [InlineData(LimitScope.Networks, "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
    public async Task Clients_are_counted_with_a_login_and_without(LimitScope scope, string one, string same, string other)
    {
        var policy = Policy(Limit(scope, (LimitThing.Recipients, new(2, Hour))));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice", one));
        Assert.Equal("permit reject_unauth_destination", await RcptAsync(policy, login: null, same, from: "x@foreign.example", to: "a@example.org"));
        Assert.Equal("450 limits", await RcptAsync(policy, "alice", same));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice", other));
    }

    [Fact]
    public async Task Domains_of_senders_and_recipients_have_limits_and_the_null_sender_none()
    {
        var policy = Policy(Limit(LimitScope.Senders, (LimitThing.Recipients, new(1, Hour))), Limit(LimitScope.Domains, (LimitThing.Recipients, new(2, Hour))));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice"));
        Assert.Equal("450 limits", await RcptAsync(policy, "mailer", from: "y@example.org"));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice", from: ""));
        Assert.Equal("450 limits", await RcptAsync(policy, "alice", from: "", to: "other@B.example"));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice", from: "", to: "a@c.example"));
    }

    [Fact]
    public async Task Who_has_named_too_many_that_do_not_exist_sends_nothing_for_a_while()
    {
        var policy = Policy(Limit(LimitScope.Logins, (LimitThing.FailedRecipients, new(2, Hour))));
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice"));
        for (var i = 0; i < 2; i++)
            await policy.OnBounceAsync(Judge.Facts(login: "alice"), Judge.Path("alice@example.org"), Mailbox.Parse("gone@b.example"), Ct);
        Assert.Equal("450 limits", await RcptAsync(policy, "alice"));
        Assert.Equal("450 limits", await MailAsync(policy, "alice"));
        Assert.Equal("pass", await MailAsync(policy, "mailer"));
    }

    [Fact]
    public async Task Recipients_that_are_refused_for_good_count_as_failed_and_those_put_off_do_not()
    {
        var policy = Policy(
            Limit(LimitScope.Logins, (LimitThing.FailedRecipients, new(2, Hour))),
            new PolicyOptions { RecipientRules = ["reject_non_fqdn_recipient", "permit_authenticated"] });
        for (var i = 0; i < 2; i++)
            Assert.Equal("504 reject_non_fqdn_recipient", await RcptAsync(policy, "alice", to: "a@b"));
        Assert.Equal("450 limits", await RcptAsync(policy, "alice"));
    }

    [Fact]
    public async Task Sessions_at_once_and_in_a_time_count_from_their_first_MAIL()
    {
        var policy = Policy(Limit(LimitScope.Logins, (LimitThing.Concurrency, new(2, TimeSpan.Zero)), (LimitThing.Connections, new(3, Hour))));
        var events = new RelayEvents(audit, clock, counters.Windows);
        var (first, second, third) = (Session("1"), Session("2"), Session("3"));
        for (var i = 0; i < 5; i++)
            Assert.Equal("pass", await MailAsync(policy, first));
        Assert.Equal("pass", await MailAsync(policy, second));
        Assert.Equal("450 limits", await MailAsync(policy, third));
        Assert.Contains("sessions at once of this login, try again later", audit.Events.OfType<DecisionEvent>().Last().Reply, StringComparison.Ordinal);
        events.OnClosed(first, "quit");
        Assert.Equal("pass", await MailAsync(policy, third));
        events.OnClosed(second, "quit");
        Assert.Equal("450 limits", await MailAsync(policy, Session("4")));
        Assert.Contains("3/1h sessions of this login", audit.Events.OfType<DecisionEvent>().Last().Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_and_their_octets_count_when_they_are_taken_and_not_before()
    {
        var policy = Policy(Limit(LimitScope.Logins, (LimitThing.Messages, new(2, Hour)), (LimitThing.Bytes, new(2_000, Hour))));
        for (var i = 0; i < 10; i++)
            Assert.Equal("pass", await MailAsync(policy, "alice"));
        var store = new SubmissionStore(new MemorySpool(clock), audit, clock, policy: policy);

        Assert.IsType<StoreOutcome.Stored>(await SubmitAsync(store, octets: 100));
        var large = Assert.IsType<StoreOutcome.Refused>(await SubmitAsync(store, octets: 2_500)).Reply;
        Assert.Equal((552, "5.3.4"), (large.Code, large.Status!.Value.ToString()));
        var second = Assert.IsType<StoreOutcome.Refused>(await SubmitAsync(store, octets: 1_950)).Reply;
        Assert.Equal(450, second.Code);
        Assert.Contains("over the limit of 2KB/1h octets of this login, try again in 61 min", second.Lines[0], StringComparison.Ordinal);
        Assert.IsType<StoreOutcome.Stored>(await SubmitAsync(store, octets: 100));
        Assert.Equal(450, Assert.IsType<StoreOutcome.Refused>(await SubmitAsync(store, octets: 100)).Reply.Code);
        Assert.Equal("450 limits", await MailAsync(policy, "alice"));
        Assert.Equal("limits", audit.Events.OfType<DecisionEvent>().Last().Rule);
    }

    [Fact]
    public async Task The_soft_limit_is_told_in_the_log_and_in_the_decision_and_refuses_nothing()
    {
        var policy = Policy(Limit(LimitScope.Logins, (LimitThing.Recipients, new(5, Hour))) with { WarnAt = 60 });
        for (var i = 0; i < 10; i++)
            await RcptAsync(policy, "alice");

        var told = audit.Events.OfType<LimitEvent>().ToList();
        Assert.Equal([(LimitState.Warned, 3L), (LimitState.Exceeded, 5L)], told.Select(static e => (e.State, e.Used!.Value)));
        Assert.All(told, static e => Assert.True(e is { Limit: "logins.recipients", Whose: "alice", Allowed: "5/1h", Cause.Login: "alice" }));
        var warned = audit.Events.OfType<DecisionEvent>().First(static e => e.Chain[^1].Rule == "limits");
        Assert.Equal((DecisionOutcome.Permit, "3 of 5/1h recipients used by alice (limits.logins.recipients): the soft limit is reached"), (warned.Outcome, warned.Chain[^1].Saw));
    }

    [Fact]
    public async Task A_dry_run_tells_what_is_used_counts_nothing_and_the_change_that_it_names_permits()
    {
        ScopeLimits[] limits = [Limit(LimitScope.Logins, (LimitThing.Recipients, new(1, Hour))), Limit(LimitScope.Networks, (LimitThing.Recipients, new(1, Hour)))];
        var policy = Policy(limits);
        for (var i = 0; i < 5; i++)
            Assert.True((await DryAsync(policy)).IsPermit);
        Assert.Contains("0 of 1/1h recipients used by alice (limits.logins.recipients); 0 of 1/1h recipients used by 203.0.113.0/24", (await DryAsync(policy)).Chain[^1].Saw, StringComparison.Ordinal);
        await RcptAsync(policy, "alice");
        Assert.Equal("450 limits", Judge.Outcome(await DryAsync(policy)));

        var change = await policy.ShortestChangeAsync(Judge.Facts(login: "alice"), Judge.Path("alice@example.org"), Mailbox.Parse("a@b.example"), Ct);

        Assert.Equal(["postern limits raise alice recipients 2/1h --for 2h", "postern limits raise 203.0.113.0/24 recipients 2/1h --for 2h --of networks"], change);
        foreach (var subject in (LimitSubject[])[new(LimitScope.Logins, "alice"), new(LimitScope.Networks, "203.0.113.0/24")])
            await counters.Windows.RaiseAsync(new RaisedLimit(subject, LimitThing.Recipients, new(2, Hour), clock.GetUtcNow() + Hour), Ct);
        Assert.True((await DryAsync(policy)).IsPermit);
        Assert.Equal("permit permit_authenticated", await RcptAsync(policy, "alice"));
    }

    [Fact]
    public async Task Without_a_server_what_is_used_is_said_to_be_unknown()
    {
        var options = new PolicyOptions { Limits = Table(Limit(LimitScope.Logins, (LimitThing.Recipients, new(1, Hour)))) };
        var decision = await DryAsync(new RelayPolicy(options, directory, audit, clock));
        Assert.True(decision.IsPermit);
        Assert.Equal("how much is used of limits is unknown: no server was asked", decision.Chain[^1].Saw);
    }

    [Theory]
    [InlineData(true, "451 limits")]
    [InlineData(false, "pass")]
    public async Task Where_counts_are_lost_the_configuration_says_what_happens(bool defers, string expected)
    {
        var file = Path.Combine(folder, "damaged");
        await File.WriteAllTextAsync(file, "nothing of ours\n", Ct);
        using var lost = LocalCounters.Open(Path.Combine(folder, "counters-2"), audit, clock, file, defers);
        var table = Table(Limit(LimitScope.Logins, (LimitThing.Messages, new(1, Hour)))) with { DefersIfLost = defers };
        var policy = new RelayPolicy(new PolicyOptions { Limits = table }, directory, audit, clock, lost);
        Assert.Equal(expected, await MailAsync(policy, "alice"));
        Assert.Equal("limits_lost", Assert.Single(audit.Events.OfType<ServerEvent>()).Event);
    }

    private static ScopeLimits Limit(LimitScope scope, params (LimitThing What, WindowLimit Limit)[] limits) =>
        new(scope, [.. limits.Select(static one => new ThingLimit(one.What, one.Limit))]);

    private static LimitTable Table(params ScopeLimits[] scopes) => new() { Scopes = [.. scopes] };

    private RelayPolicy Policy(params ScopeLimits[] scopes) => new(new PolicyOptions { Limits = Table(scopes) }, directory, audit, clock, counters);

    private RelayPolicy Policy(ScopeLimits scope, PolicyOptions options) => new(options with { Limits = Table(scope) }, directory, audit, clock, counters);

    private static async Task<Decision> DryAsync(RelayPolicy policy) =>
        await policy.DryRunAsync(Judge.Facts(login: "alice"), Judge.Path("alice@example.org"), Mailbox.Parse("a@b.example"), Ct);

    private static async Task<string> RcptAsync(RelayPolicy policy, string? login, string client = Judge.Stranger, string? from = null, string to = "a@b.example") =>
        Text(await AskAsync(policy, login, client, from, to));

    private static async Task<Verdict> AskAsync(RelayPolicy policy, string? login, string client = Judge.Stranger, string? from = null, string to = "a@b.example")
    {
        var session = Judge.WithSender(Judge.Session(client, login), from ?? (login == "mailer" ? "x@example.org" : "alice@example.org"));
        return await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct) is Verdict.Refuse refusal
            ? refusal
            : await policy.OnRecipientAsync(session, Mailbox.Parse(to), Ct);
    }

    private static Task<string> MailAsync(RelayPolicy policy, string login) => MailAsync(policy, Judge.Session(login: login), login == "mailer" ? "x@example.org" : "alice@example.org");

    private static async Task<string> MailAsync(RelayPolicy policy, SessionState session, string from = "alice@example.org") =>
        Text(await policy.OnSenderAsync(session, Judge.Path(from), Ct));

    private static string Text(Verdict verdict) => verdict switch
    {
        Verdict.Refuse(var reply, var rule) => string.Create(CultureInfo.InvariantCulture, $"{reply.Code} {rule}"),
        Verdict.Permit(var rule) => $"permit {rule}",
        _ => "pass",
    };

    private static SessionState Session(string id) => new()
    {
        Id = id,
        Listener = "submission",
        Hostname = "mail.example.org",
        ClientAddress = IPAddress.Parse(Judge.Stranger),
        HeloName = "client.example",
        Identity = new SaslIdentity("alice", "alice"),
        Mechanism = "PLAIN",
    };

    private static async Task<StoreOutcome> SubmitAsync(SubmissionStore store, int octets)
    {
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        session.Transaction!.Add(Mailbox.Parse("a@b.example"), RecipientParameters.None, "permit_authenticated");
        await using var draft = Assert.IsType<DraftAnswer.Open>(await store.BeginAsync(session, session.Transaction, Ct)).Draft;
        await draft.AppendAsync(Encoding.ASCII.GetBytes($"From: alice@example.org\r\nSubject: x\r\n\r\n{new string('x', octets - 50)}\r\n"), Ct);
        return await draft.CommitAsync(Ct);
    }
}
