using System.Collections.Frozen;
using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Delivery;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

public sealed class EtrnDomainsTests
{
    private static readonly SessionState Client = new() { Id = "s1", Listener = "smtp", Hostname = "relay.test", ClientAddress = IPAddress.Parse("192.0.2.1") };

    private readonly ManualClock clock = new();

    [Fact]
    public async Task What_waits_for_a_listed_domain_is_tried_now_once_a_minute()
    {
        await using var rig = await WaitingAsync("later@there.test", "later@mail.there.test", "later@elsewhere.test");
        var etrn = Etrn(rig);

        Assert.Equal(new QueueStart.Pending(1), await AskAsync(etrn, "there.test", QueueScope.Domain));
        Assert.IsType<QueueStart.NotNow>(await AskAsync(etrn, "there.test", QueueScope.Domain));
    }

    [Fact]
    public async Task With_an_at_sign_also_what_waits_for_the_domains_below_is_tried()
    {
        await using var rig = await WaitingAsync("later@there.test", "later@mail.there.test", "later@nothere.test");
        Assert.Equal(new QueueStart.Pending(2), await AskAsync(Etrn(rig), "there.test", QueueScope.DomainAndBelow));
    }

    [Fact]
    public async Task What_its_sender_wants_to_be_held_stays()
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        await rig.AddAsync(e => e with { Said = e.Said with { Parameters = new MailParameters { HoldUntil = clock.GetUtcNow() + TimeSpan.FromDays(1) } } }, "ok@there.test");
        Assert.IsType<QueueStart.Nothing>(await AskAsync(Etrn(rig), "there.test", QueueScope.Domain));
    }

    [Theory]
    [InlineData("elsewhere.test", QueueScope.Domain)]
    [InlineData("mail.there.test", QueueScope.Domain)]
    [InlineData("there.test", QueueScope.Queue)]
    public async Task What_is_not_listed_is_not_allowed(string domain, QueueScope scope)
    {
        await using var rig = Rig();
        Assert.IsType<QueueStart.NotAllowed>(await AskAsync(Etrn(rig), domain, scope));
    }

    private static ValueTask<QueueStart> AskAsync(EtrnDomains etrn, string domain, QueueScope scope) =>
        etrn.StartAsync(Client, new QueueName(Domain.Parse(domain), scope), CancellationToken.None);

    private EtrnDomains Etrn(DeliveryRig rig) => new(FrozenSet.Create(Domain.Parse("there.test")), rig.Scheduler, clock);

    private DeliveryRig Rig() => new(DeliveryRig.Options(new Route("*", "smtp://fake.test")), clock, transport: FakeTransport.ByLocalPart());

    /// <summary>Each was tried once and waits for its second attempt.</summary>
    private async Task<DeliveryRig> WaitingAsync(params string[] recipients)
    {
        var rig = Rig();
        rig.Scheduler.Start();
        foreach (var recipient in recipients)
            await rig.Spool.UpdatedAsync(await rig.AddAsync(recipient), static s => s.Attempts == 1);
        while (rig.Scheduler.Statistics().Waiting < recipients.Length)
            await Task.Yield();
        return rig;
    }
}
