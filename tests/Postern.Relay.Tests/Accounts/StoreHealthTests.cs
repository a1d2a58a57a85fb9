using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Audit.Events;
using Postern.Relay.Tests.Policy;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

public sealed class StoreHealthTests
{
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();
    private readonly FarStore far = new FarStore().Add("lisa", "tiger");
    private readonly StoreHealth health;
    private readonly IAccountStore store;

    public StoreHealthTests()
    {
        health = new StoreHealth("far", audit, clock);
        store = AccountStores.Bound(far, new StoreTerms { MostQuestions = 1 }, clock, health);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_outage_is_told_once_when_it_begins_and_once_when_it_is_over()
    {
        var before = clock.GetUtcNow();
        far.Trouble = new LoginAnswer.Unavailable("it sleeps");
        for (var i = 0; i < 1000; i++)
            await store.FindAsync("lisa", Ct);
        var down = AccountStores.ConditionOf(store);
        Assert.Equal(((DateTimeOffset?)before, "it sleeps", 1000L), (down.DownSince, down.Failure, down.Unanswered));
        clock.Advance(TimeSpan.FromSeconds(75));
        far.Trouble = null;
        await store.FindAsync("lisa", Ct);
        var up = AccountStores.ConditionOf(store);
        Assert.Equal((null, "it sleeps", clock.GetUtcNow()), (up.DownSince, up.Failure, up.AnsweredAt));
        Assert.Equal(
            [("store_unavailable", "far: it sleeps; logins are told 454"), ("store_answers", "far answers again, after 75 s")],
            audit.Events.OfType<ServerEvent>().Select(static e => (e.Event, e.Detail)));
    }

    [Fact]
    public async Task A_store_that_comes_and_goes_is_told_of_no_more_than_once_a_minute()
    {
        for (var second = 0; second < 600; second++)
        {
            far.Trouble = new LoginAnswer.Unavailable("it sleeps");
            await store.FindAsync($"a{second}", Ct);
            far.Trouble = null;
            await store.FindAsync($"b{second}", Ct);
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(10, audit.Events.OfType<ServerEvent>().Count(static e => e.Event == "store_unavailable"));
        Assert.Equal(10, audit.Events.OfType<ServerEvent>().Count(static e => e.Event == "store_answers"));
    }

    [Fact]
    public async Task What_is_asked_remembered_and_refused_is_counted()
    {
        await store.FindAsync("lisa", Ct);
        await store.FindAsync("lisa", Ct);
        await store.FindAsync("lisa", Ct);
        far.Close();
        var asked = store.FindAsync("bart", Ct).AsTask();
        var waiting = store.FindAsync("homer", Ct).AsTask();
        var full = AccountStores.ConditionOf(store);
        Assert.Equal((3L, 2L, 0L, 1, 1, 1), (full.Asked, full.FromMemory, full.TurnedAway, full.UnderWay, full.Most, full.Waiting));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<LoginAnswer.Busy>(await waiting);
        clock.Advance(TimeSpan.FromSeconds(1));
        await asked;
        Assert.Equal((1L, 0), (AccountStores.ConditionOf(store).TurnedAway, AccountStores.ConditionOf(store).Waiting));
        var late = AccountStores.ConditionOf(store);
        Assert.Equal((1L, "no answer within 2 s"), (late.Unanswered, late.Failure));
    }

    [Fact]
    public void It_lasts_while_configurations_come_and_go()
    {
        var healths = new StoreHealths(audit, clock);
        Assert.Same(healths.Of("far"), healths.Of("far"));
        Assert.NotSame(healths.Of("far"), healths.Of("near"));
    }

    [Fact]
    public void A_store_that_answers_from_memory_says_what_it_would_say_now()
    {
        using var fixture = new DirectoryFixture();
        var file = fixture.Store($"file://{fixture.Beside("passwd")}");
        Assert.Contains("there is no such file", AccountStores.ConditionOf(file).Failure, StringComparison.Ordinal);
        Assert.Null(AccountStores.ConditionOf(fixture.Store()).Failure);
    }
}
