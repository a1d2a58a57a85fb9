using System.Net;
using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Tenants;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>Whose mail a message is: by its header only for those who may, by listener, network and domain for all; and what it may be then.</summary>
public sealed class TenantMismatchTests : IAsyncDisposable
{
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();
    private readonly FakeDirectory directory = new Judge().Directory.List("acme.example").Add("anna", domains: ["acme.example", "example.org"]);
    private readonly MemorySpool spool = new();
    private readonly string folder = Directory.CreateTempSubdirectory("postern-tenants-").FullName;
    private readonly LocalCounters counters;
    private readonly SuspendedSenders suspended;
    private LimitTable limits = LimitTable.None;

    private static readonly TenantTable Tenants = new(
    [
        new TenantTerms("mytenant") { Header = "X-Tenant", Logins = ["alice"], Fields = ["X-Origin: my tenant"] },
        new TenantTerms("acme") { Header = "X-Tenant", Logins = ["anna"], Domains = [Domain.Parse("acme.example")] },
        new TenantTerms("floor2") { Networks = [IPNetwork.Parse("10.1.2.0/24")] },
        new TenantTerms("desk") { Listeners = ["desk"] },
    ]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public TenantMismatchTests()
    {
        counters = LocalCounters.Open(Path.Combine(folder, "counters"), audit, clock, Path.Combine(folder, "limits"));
        suspended = SuspendedSenders.OpenBeside(Path.Combine(folder, "directory.db"), audit, clock, isServer: false);
    }

    public async ValueTask DisposeAsync()
    {
        await spool.DisposeAsync();
        suspended.Dispose();
        counters.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("X-Tenant: mytenant\r\n")]
    [InlineData("x-tenant : MyTenant\r\n")]
    [InlineData("X-TENANT:\r\n\tmytenant \r\n")]
    public async Task Who_may_names_its_tenant_and_the_name_does_not_leave(string header)
    {
        var (tenant, content) = await SubmitAsync("alice", "alice@example.org", header);
        Assert.Equal("mytenant", tenant);
        Assert.DoesNotContain("X-Tenant", content, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\nX-Origin: my tenant\r\n", content, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mailer", "X-Tenant: mytenant\r\n")]
    [InlineData("mailer", "X-TENANT :mytenant\r\n")]
    [InlineData("mailer", "x-tenant:\r\n mytenant\r\n")]
    [InlineData("mailer", "X-Tenant: nosuchtenant\r\n")]
    [InlineData("mailer", "X-Tenant:\r\n")]
    [InlineData("alice", "X-Tenant: acme\r\n")]
    [InlineData("alice", "X-Tenant: floor2\r\n")]
    [InlineData("alice", "X-Tenant: mytenant, acme\r\n")]
    public async Task Who_may_not_is_refused_in_the_same_words_whether_there_is_such_a_tenant(string login, string header) =>
        Assert.StartsWith($"550 5.7.1 X-Tenant rejected: user {login} may not name this tenant (ref ", await RefusedAsync(login, $"{login}@example.org", header), StringComparison.Ordinal);

    [Fact]
    public async Task Two_names_are_none_and_a_refusal_is_in_the_log()
    {
        Assert.StartsWith("550 5.7.1 X-Tenant stands in the message more than once", await RefusedAsync("alice", "alice@example.org", "X-Tenant: mytenant\r\nx-tenant: mytenant\r\n"), StringComparison.Ordinal);
        var decision = Assert.Single(audit.Events.OfType<DecisionEvent>(), static e => e.Outcome == DecisionOutcome.Refuse);
        Assert.Equal(("message", "reject_tenant_mismatch"), (decision.Stage, decision.Rule));
    }

    [Fact]
    public async Task A_client_without_a_login_names_none_from_a_trusted_network_and_is_not_heard_from_elsewhere()
    {
        Assert.StartsWith("550 5.7.1 the X-Tenant field needs a login", await RefusedAsync(null, "a@foreign.example", "X-Tenant: mytenant\r\n", client: Judge.Trusted), StringComparison.Ordinal);
        var (tenant, content) = await SubmitAsync(null, "a@foreign.example", "X-Tenant: mytenant\r\n", to: "alice@example.org");
        Assert.Null(tenant);
        Assert.DoesNotContain("X-Tenant", content, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alice", "alice@example.org", Judge.Trusted, "submission", "floor2")]
    [InlineData("alice", "alice@example.org", Judge.Trusted, "desk", "desk")]
    [InlineData("anna", "anna@acme.example", Judge.Stranger, "submission", "acme")]
    [InlineData("anna", "anna@example.org", Judge.Stranger, "submission", null)]
    [InlineData(null, "x@foreign.example", Judge.Trusted, "submission", "floor2")]
    public async Task Listener_network_and_domain_say_whose_it_is(string? login, string from, string client, string listener, string? expected) =>
        Assert.Equal(expected, (await SubmitAsync(login, from, "", client: client, listener: listener)).Tenant);

    [Fact]
    public async Task A_tenants_mail_has_a_sender_of_its_domains()
    {
        Assert.Equal("acme", (await SubmitAsync("anna", "x@acme.example", "X-Tenant: acme\r\n")).Tenant);
        Assert.StartsWith("550 5.7.1 <x@example.org>: Sender address rejected: not a domain of tenant acme (ref ", await RefusedAsync("anna", "x@example.org", "X-Tenant: acme\r\n"), StringComparison.Ordinal);
    }

    /// <summary>At MAIL and RCPT nobody knows whose it is.</summary>
    [Fact]
    public async Task A_tenant_that_is_suspended_sends_nothing_by_the_header_either()
    {
        suspended.Suspend(new Suspension(SuspendedKind.Tenant, "mytenant", "unpaid bill", clock.GetUtcNow(), clock.GetUtcNow().AddDays(7), "root"));
        Assert.Contains("this tenant is suspended until", await RefusedAsync("alice", "alice@example.org", "X-Tenant: MyTenant\r\n"), StringComparison.Ordinal);
        var decision = Assert.Single(audit.Events.OfType<DecisionEvent>(), static e => e.Outcome == DecisionOutcome.Refuse);
        Assert.Equal(("message", "suspended", "mytenant"), (decision.Stage, decision.Rule, decision.Tenant));
        await SubmitAsync("alice", "alice@example.org", string.Empty);
    }

    [Theory]
    [InlineData(LimitThing.Messages)]
    [InlineData(LimitThing.Recipients)]
    [InlineData(LimitThing.DistinctRecipients)]
    public async Task What_a_header_says_whose_it_is_counts_for_that_tenant(LimitThing what)
    {
        limits = new LimitTable { Scopes = [new ScopeLimits(LimitScope.Tenants, [new ThingLimit(what, new WindowLimit(1, TimeSpan.FromHours(1)))])] };
        await SubmitAsync("alice", "alice@example.org", "X-Tenant: mytenant\r\n", to: "a@far.example");
        Assert.StartsWith("450 4.7.1 <alice@example.org>: Sender address rejected: over the limit of 1/1h ", await RefusedAsync("alice", "alice@example.org", "X-Tenant: mytenant\r\n"), StringComparison.Ordinal);
        await SubmitAsync("alice", "alice@example.org", string.Empty);
    }

    [Fact]
    public async Task A_null_sender_is_any_tenants() => Assert.Equal("acme", (await SubmitAsync("anna", string.Empty, "X-Tenant: acme\r\n")).Tenant);

    private async Task<(string? Tenant, string Content)> SubmitAsync(
        string? login, string from, string header, string client = Judge.Stranger, string listener = "submission", string to = "b@far.example")
    {
        Assert.IsType<StoreOutcome.Stored>(await OutcomeAsync(login, from, header, client, listener, to));
        var entry = spool.List()[^1];
        using var content = spool.OpenContent(entry.Envelope.Id)!;
        var octets = new byte[content.Length];
        Assert.Equal(octets.Length, await content.ReadAsync(0, octets, Ct));
        return (entry.Envelope.Tenant, Encoding.ASCII.GetString(octets));
    }

    private async Task<string> RefusedAsync(string? login, string from, string header, string client = Judge.Stranger)
    {
        var before = spool.Count;
        var refused = Assert.IsType<StoreOutcome.Refused>(await OutcomeAsync(login, from, header, client, "submission", "b@far.example"));
        Assert.Equal(before, spool.Count);
        return refused.Reply.ToString();
    }

    private async Task<StoreOutcome> OutcomeAsync(string? login, string from, string header, string client, string listener, string to)
    {
        var options = new PolicyOptions
        {
            Networks = [IPNetwork.Parse("10.1.0.0/16")],
            Tenants = Tenants,
            Limits = limits,
            RecipientRules = ["permit_networks", "permit_authenticated", "reject_unauth_destination"],
        };
        var policy = new RelayPolicy(options, directory, audit, clock, counters) { Suspended = suspended };
        var store = new SubmissionStore(spool, audit, clock, _ => directory, policy: policy);
        var session = Judge.WithSender(Judge.Session(client, login, listener: listener), from);
        Assert.IsNotType<Verdict.Refuse>(await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct));
        var permit = Assert.IsType<Verdict.Permit>(await policy.OnRecipientAsync(session, Mailbox.Parse(to), Ct));
        session.Transaction.Add(Mailbox.Parse(to), RecipientParameters.None, permit.Rule);
        await using var draft = Assert.IsType<DraftAnswer.Open>(await store.BeginAsync(session, session.Transaction, Ct)).Draft;
        await draft.AppendAsync(Encoding.ASCII.GetBytes($"From: {(from.Length > 0 ? from : "anna@acme.example")}\r\n{header}Subject: x\r\n\r\nx\r\n"), Ct);
        return await draft.CommitAsync(Ct);
    }
}
