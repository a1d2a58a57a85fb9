using System.Globalization;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Policy;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Addresses that get no mail: whose, how long, and who is asked.</summary>
public sealed class SuppressionTests : IDisposable
{
    private static readonly Mailbox Lisa = Mailbox.Parse("Lisa@There.test");

    private readonly DirectoryFixture fixture = new();
    private readonly ManualClock clock;

    public SuppressionTests() => clock = fixture.Clock;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    private async Task<string?> ReasonAsync(string? tenant, Mailbox? to = null) =>
        (await fixture.Database.FindSuppressionAsync(tenant, to ?? Lisa, Ct))?.Reason;

    [Fact]
    public async Task An_entry_counts_for_its_tenant_and_one_without_a_tenant_for_all()
    {
        Assert.Null(await ReasonAsync(null));
        Assert.IsType<AdminOutcome.Done>(fixture.Commands.Suppressions.Add("lisa@there.test", "Acme", "for acme", lasts: null));

        Assert.Equal("for acme", await ReasonAsync("acme"));
        Assert.Null(await ReasonAsync("other"));
        Assert.Null(await ReasonAsync(null));
        Assert.Null(await ReasonAsync("acme", Mailbox.Parse("bart@there.test")));

        fixture.Commands.Suppressions.Add("LISA@there.test", tenant: null, reason: null, lasts: null);
        Assert.Equal("added by an operator", await ReasonAsync("other"));
        Assert.Equal("added by an operator", await ReasonAsync(null));

        Assert.IsType<AdminOutcome.Done>(fixture.Commands.Suppressions.Remove("lisa@there.test", tenant: null));
        Assert.Contains("--tenant acme", Assert.IsType<AdminOutcome.NotFound>(fixture.Commands.Suppressions.Remove("lisa@there.test", tenant: null)).Message, StringComparison.Ordinal);
        Assert.Null(await ReasonAsync(null));
        Assert.Equal("for acme", await ReasonAsync("ACME"));
    }

    [Fact]
    public async Task An_entry_ends_at_its_time_and_is_listed_no_more()
    {
        fixture.Commands.Suppressions.Add("lisa@there.test", tenant: null, "for a day", TimeSpan.FromDays(1));
        fixture.Commands.Suppressions.Add("bart@there.test", tenant: null, "for good", lasts: null);
        Assert.Equal("for a day", await ReasonAsync(null));
        Assert.Equal(["bart@there.test", "lisa@there.test"], fixture.Queries.Suppressions(tenant: null, "there.test", 10).Select(static s => s.Address));
        Assert.Empty(fixture.Queries.Suppressions(tenant: null, "here.test", 10));

        clock.Advance(TimeSpan.FromDays(2));
        Assert.Null(await ReasonAsync(null));
        Assert.Equal(["bart@there.test"], fixture.Queries.Suppressions(tenant: null, to: null, 10).Select(static s => s.Address));
    }

    [Fact]
    public async Task The_rule_refuses_with_its_own_reply_before_those_that_permit_and_says_how_to_undo_it()
    {
        fixture.Commands.Suppressions.Add("lisa@there.test", tenant: null, "no_such_user: 550 nobody", lasts: null);
        var audit = new RecordingAuditLog();
        var policy = new RelayPolicy(
            new PolicyOptions { SenderRules = [], RecipientRules = ["reject_suppressed_recipient", "permit_networks"], Networks = [System.Net.IPNetwork.Parse("10.1.0.0/16")] },
            fixture.Database,
            audit,
            clock);

        var refused = await policy.DryRunAsync(Judge.Facts(Judge.Trusted), Judge.Path("a@here.test"), Lisa, Ct);
        Assert.Equal("550 reject_suppressed_recipient", Judge.Outcome(refused));
        Assert.Contains("suppression list", refused.Reply!.ToString(), StringComparison.Ordinal);
        Assert.Contains(refused.Chain, static r => r.Saw.Contains("no_such_user: 550 nobody", StringComparison.Ordinal));
        Assert.Equal(["postern suppression remove lisa@there.test"], await policy.ShortestChangeAsync(Judge.Facts(Judge.Trusted), Judge.Path("a@here.test"), Lisa, Ct));
        Assert.Equal("permit permit_networks", Judge.Outcome(await policy.DryRunAsync(Judge.Facts(Judge.Trusted), Judge.Path("a@here.test"), Mailbox.Parse("bart@there.test"), Ct)));
    }

    [Fact]
    public async Task Hard_bounces_are_written_together_and_only_where_that_is_wanted()
    {
        var audit = new RecordingAudit();
        var keeper = new SuppressionKeeper(fixture.Database, audit, clock);
        keeper.Note(Bounce("unwanted@there.test"));
        keeper.Apply(TimeSpan.FromDays(30));
        for (var i = 0; i < 100; i++)
            keeper.Note(Bounce(string.Create(CultureInfo.InvariantCulture, $"r{i}@there.test"), i % 2 == 0 ? "Acme" : null));
        await keeper.DisposeAsync();

        Assert.Equal(50, fixture.Queries.Suppressions("acme", to: null, 1000).Length);
        var entry = await fixture.Database.FindSuppressionAsync("acme", Mailbox.Parse("r0@there.test"), Ct);
        Assert.Equal(("no_such_user: 550 nobody", clock.GetUtcNow().AddDays(30)), (entry!.Reason, entry.ExpiresAt));
        Assert.Null(await fixture.Database.FindSuppressionAsync(null, Mailbox.Parse("unwanted@there.test"), Ct));
        Assert.Equal(100, audit.Events.OfType<ServerEvent>().Count(static e => e.Event == "recipient_suppressed"));
    }

    [Fact]
    public async Task What_does_not_fit_into_the_queue_is_told_and_suppressed_when_it_bounces_again()
    {
        var audit = new RecordingAudit();
        var keeper = new SuppressionKeeper(fixture.Database, audit, clock);
        keeper.Apply(TimeSpan.FromDays(30));
        for (var i = 0; i < 10_003; i++)
            keeper.Note(Bounce(string.Create(CultureInfo.InvariantCulture, $"r{i}@there.test")));
        await keeper.DisposeAsync();

        Assert.Equal(10_000, audit.Events.OfType<ServerEvent>().Count(static e => e.Event == "recipient_suppressed"));
        Assert.Equal(
            "3 addresses bounced while 10000 waited to be written: they are suppressed when they bounce again",
            audit.Events.OfType<ServerEvent>().Single(static e => e.Event == "suppression-error").Detail);
    }

    [Fact]
    public async Task An_operators_entry_that_stays_is_not_shortened_by_a_bounce()
    {
        fixture.Commands.Suppressions.Add("lisa@there.test", tenant: null, "asked for no mail", lasts: null);
        var keeper = new SuppressionKeeper(fixture.Database, new RecordingAudit(), clock);
        keeper.Apply(TimeSpan.FromDays(1));
        keeper.Note(Bounce("lisa@there.test"));
        await keeper.DisposeAsync();

        clock.Advance(TimeSpan.FromDays(10));
        Assert.Equal("asked for no mail", await ReasonAsync(null));
    }

    /// <summary>Only what the next hop said for good of the address itself counts.</summary>
    [Theory]
    [InlineData("550 5.1.1 No such user", "5.1.1", true)]
    [InlineData("550 5.7.1 Not you", "5.7.1", false)]
    [InlineData("552 5.2.2 Mailbox full", "5.2.2", false)]
    public async Task A_recipient_bounces_hard_only_where_its_address_is_of_no_use(string reply, string status, bool isHard)
    {
        var heard = new List<HardBounce>();
        var transport = new FakeTransport((_, message) => Task.FromResult(new DeliveryReport(
            [.. message.Recipients.Select(_ => message.Sender.IsNull ? FakeTransport.Delivered : new Outcome.Failed("mx", reply, Tls: null, status) { Cause = DeliveryCause.Refused, Code = 550, IsVerbatim = true })],
            Reached: true)));
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", "smtp://fake.test")) with { SuppressFor = TimeSpan.FromDays(1) }, transport: transport);
        rig.Scheduler.OnHardBounce = heard.Add;
        rig.Scheduler.Start();
        var id = await rig.AddAsync(static e => e with { Tenant = "acme" }, "b@there.test");
        await rig.Spool.GoneAsync(id);

        Assert.Equal(isHard ? [new HardBounce(id, "acme", Mailbox.Parse("b@there.test"), "no_such_user", reply)] : [], heard.Select(static b => b with { Envelope = null }));
        Assert.All(heard, b => Assert.Equal(id, b.Envelope?.Id));
    }

    private HardBounce Bounce(string address, string? tenant = null) => new(QueueId.New(clock), tenant, Mailbox.Parse(address), "no_such_user", "550 nobody");
}
