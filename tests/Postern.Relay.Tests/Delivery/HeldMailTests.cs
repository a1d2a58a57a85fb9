using System.Collections.Frozen;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Mail that is held for its senders is counted until it is released, and no further.</summary>
public sealed class HeldMailTests
{
    private readonly ManualClock clock = new();
    private readonly MemorySpool spool;
    private readonly HeldMail held;
    private HeldLimits limits = new()
    {
        Login = new HeldLimit(Messages: 3, Octets: 1_000),
        Tenants = new Dictionary<string, HeldLimit> { ["acme"] = new(Messages: 4, Octets: long.MaxValue) }.ToFrozenDictionary(),
    };

    public HeldMailTests()
    {
        spool = new MemorySpool(clock);
        held = new HeldMail(spool, clock, () => limits);
        spool.Committed += held.Note;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_and_octets_of_a_login_are_counted_until_their_release()
    {
        await HoldAsync("lisa", TimeSpan.FromHours(1), size: 400);
        await HoldAsync("lisa", TimeSpan.FromHours(2), size: 400);
        await HoldAsync("bart", TimeSpan.FromHours(2), size: 900);
        Assert.Null(await WhyNotAsync("lisa", octets: 200));
        Assert.Equal(new HeldExcess(HeldOwner.Login, "lisa", limits.Login), await WhyNotAsync("lisa", octets: 201));
        await HoldAsync("lisa", TimeSpan.FromHours(3), size: 10);
        Assert.NotNull(await WhyNotAsync("lisa", octets: 0));

        clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(await WhyNotAsync("lisa", octets: 500));
        clock.Advance(TimeSpan.FromHours(9));
        Assert.Null(await WhyNotAsync("lisa", octets: 1_000));
        Assert.NotNull(await WhyNotAsync("lisa", octets: 1_001));
    }

    [Fact]
    public async Task A_tenant_has_a_limit_beside_those_of_its_logins_and_mail_that_nobody_holds_is_not_counted()
    {
        await HoldAsync("lisa", TimeSpan.FromHours(1), tenant: "ACME");
        await HoldAsync("lisa", TimeSpan.FromHours(1), tenant: "ACME");
        await HoldAsync("bart", TimeSpan.FromHours(1), tenant: "acme");
        await HoldAsync("homer", hold: null, tenant: "acme");
        Assert.Null(await WhyNotAsync("maggie", tenant: "acme", octets: 1));
        await HoldAsync("bart", TimeSpan.FromHours(1), tenant: "acme");

        Assert.Equal(new HeldExcess(HeldOwner.Tenant, "acme", limits.Tenants["acme"]), await WhyNotAsync("maggie", tenant: "Acme", octets: 1));
        Assert.Null(await WhyNotAsync("maggie", tenant: "other", octets: 1));
        limits = limits with { Tenants = FrozenDictionary<string, HeldLimit>.Empty };
        Assert.Null(await WhyNotAsync("maggie", tenant: "acme", octets: 1));
    }

    [Fact]
    public async Task What_has_left_the_spool_early_makes_room_again_and_is_looked_for_now_and_then_only()
    {
        var first = await HoldAsync("lisa", TimeSpan.FromHours(1));
        var second = await HoldAsync("lisa", TimeSpan.FromHours(1));
        await HoldAsync("lisa", TimeSpan.FromHours(1));
        await spool.RemoveAsync(first, Ct);
        Assert.Null(await WhyNotAsync("lisa", octets: 1));
        await HoldAsync("lisa", TimeSpan.FromHours(1));
        await spool.RemoveAsync(second, Ct);

        Assert.NotNull(await WhyNotAsync("lisa", octets: 1));
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await WhyNotAsync("lisa", octets: 1));
    }

    [Theory]
    [InlineData(10, 20L, "10 messages, 20 octets")]
    [InlineData(int.MaxValue, 20L, "20 octets")]
    [InlineData(10, long.MaxValue, "10 messages")]
    public void A_limit_says_what_it_limits(int messages, long octets, string words) => Assert.Equal(words, new HeldLimit(messages, octets).ToString());

    private ValueTask<HeldExcess?> WhyNotAsync(string login, long octets, string? tenant = null) => held.WhyNotAsync(login, tenant, octets, Ct);

    private Task<QueueId> HoldAsync(string login, TimeSpan? hold, int size = 10, string? tenant = null)
    {
        var envelope = Samples.Envelope() with { ArrivedAt = clock.GetUtcNow(), Login = login, Tenant = tenant };
        return Samples.CommitAsync(
            spool,
            Samples.Content(size),
            hold is { } span ? envelope with { Said = envelope.Said with { Parameters = envelope.Parameters with { HoldUntil = clock.GetUtcNow() + span } } } : envelope);
    }
}
