using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Logins by what a store has said before it stopped answering, where <c>cache.stale_on_outage</c> says so.</summary>
public sealed class OldAnswersTests : IDisposable
{
    private static readonly StoreTerms Terms = new() { StaleOnOutage = TimeSpan.FromHours(1) };

    private readonly DirectoryFixture fixture = new();
    private readonly FarStore far = new();
    private readonly StoreHealth health;

    public OldAnswersTests()
    {
        health = new StoreHealth("far", fixture.Audit, fixture.Clock);
        far.Add(new StoredLogin("lisa", refusal: null, [new StoredCredential("1", ScramHash.Create(new Secret("tiger"), 4096, [1, 2, 3, 4]), ExpiresAt: null)]));
        far.Add("bart", "skateboard");
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData("lisa", "tiger")] // by what is stored there
    [InlineData("bart", "skateboard")] // by what the store has found right itself
    public async Task A_user_who_was_known_logs_in_for_the_configured_time_and_the_log_says_by_what(string user, string password)
    {
        var verifiers = Open(Terms);
        Assert.Null(Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, user, password)).LoginData);
        GoDown();
        fixture.Clock.Advance(TimeSpan.FromMinutes(29));
        var old = Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, user, password));
        Assert.Equal("by an answer that is 1800 s old: far: it sleeps", Assert.IsType<LoginFacts>(old.LoginData).Aside);
        Assert.IsType<LoginAnswer.Holds>(await old.Authority!.ReviewAsync(Ct));
        Assert.True(health.Condition.StoodIn > 0);
        var told = Assert.Single(fixture.Audit.Events.OfType<ServerEvent>());
        Assert.Equal(("store_unavailable", "far: it sleeps; whom it knew within 3600 s logs in by that (cache.stale_on_outage), logins are told 454"), (told.Event, told.Detail));

        fixture.Clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(new LoginAnswer.Unavailable("far: it sleeps"), await CheckAsync(verifiers, user, password));
        Assert.IsType<LoginAnswer.Unavailable>(await old.Authority!.ReviewAsync(Ct));
    }

    [Fact]
    public async Task A_challenge_is_answered_by_it_too()
    {
        var verifiers = Open(Terms);
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", "lisa", "tiger")).Error);
        GoDown();
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", "lisa", "tiger")).Error);
    }

    [Fact]
    public async Task Unless_it_is_configured_nobody_logs_in_by_it()
    {
        var verifiers = Open(new StoreTerms());
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
        GoDown();
        Assert.Equal(new LoginAnswer.Unavailable("far: it sleeps"), await CheckAsync(verifiers, "lisa", "tiger"));
    }

    [Fact]
    public async Task Who_fails_learns_nothing_and_costs_the_same_known_or_not()
    {
        var verifiers = Open(Terms);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "was-nobody", "x"));
        GoDown();
        var told = new LoginAnswer.Unavailable("far: it sleeps");
        foreach (var user in new[] { "lisa", "never-asked", "was-nobody", "lisa" })
        {
            var (computed, asked) = (fixture.Pool.Computed, far.Asked);
            Assert.Equal(told, await CheckAsync(verifiers, user, $"wrong {computed}"));
            Assert.Equal(computed + 1, fixture.Pool.Computed);
            Assert.Equal(1, far.Asked - asked);
            foreach (var mechanism in new[] { "SCRAM-SHA-256", "CRAM-MD5" })
                Assert.Equal((SaslError.TemporaryFailure, 2), await MechanismPlay.PlayAsync(verifiers, mechanism, user, "wrong"));
        }
    }

    [Fact]
    public async Task Wrong_passwords_do_not_make_it_forget_whom_it_knew()
    {
        var verifiers = Open(Terms);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "lisa", "wrong"));
        GoDown();
        for (var i = 0; i < 100; i++)
            Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(verifiers, "lisa", $"wrong {i}"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
    }

    [Fact]
    public async Task Whoever_was_taken_away_before_does_not_come_back_by_it()
    {
        var verifiers = Open(Terms);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
        far.Remove("lisa");
        fixture.Clock.Advance(Terms.Remember);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "lisa", "tiger"));
        GoDown();
        Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(verifiers, "lisa", "tiger"));
    }

    [Fact]
    public async Task When_it_answers_again_that_is_told_and_what_it_says_now_counts()
    {
        var verifiers = Open(Terms);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
        GoDown();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
        far.Trouble = null;
        far.Remove("lisa");
        fixture.Clock.Advance(TimeSpan.FromSeconds(75));
        Assert.Equal(new LoginAnswer.NoMatch("unknown user"), await CheckAsync(verifiers, "lisa", "tiger"));
        Assert.Equal(["store_unavailable", "store_answers"], fixture.Audit.Events.OfType<ServerEvent>().Select(static e => e.Event));
        Assert.Null(health.Condition.DownSince);
    }

    [Fact]
    public async Task Where_the_next_store_is_asked_that_is_told_beside_the_login()
    {
        await File.WriteAllTextAsync(fixture.Beside("passwd"), "homer:doughnut\n", Ct);
        var first = AccountStores.Bound(far, new StoreTerms { OnOutage = OnOutage.Next }, fixture.Clock, health);
        var verifiers = Open([first, fixture.Store($"file://{fixture.Beside("passwd")}")]);
        Assert.Null(Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "homer", "doughnut")).LoginData);
        far.Trouble = new LoginAnswer.Unavailable("it sleeps");
        fixture.Clock.Advance(new StoreTerms().RememberNobody);
        var match = Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "homer", "doughnut"));
        Assert.Equal("passed over far: it sleeps", Assert.IsType<LoginFacts>(match.LoginData).Aside);
        Assert.Contains("the stores behind it are asked (on_outage: next)", Assert.Single(fixture.Audit.Events.OfType<ServerEvent>()).Detail, StringComparison.Ordinal);

        // And who fails there costs what he costs who is known there.
        foreach (var user in new[] { "homer", "nobody" })
        {
            var computed = fixture.Pool.Computed;
            Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(verifiers, user, "wrong"));
            Assert.Equal(computed + 1, fixture.Pool.Computed);
        }
    }

    private static async ValueTask<LoginAnswer> CheckAsync(AccountVerifiers verifiers, string user, string password) =>
        await verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), "192.0.2.1", Ct);

    /// <summary>When everything that was said is too old to count by itself.</summary>
    private void GoDown()
    {
        fixture.Clock.Advance(Terms.Remember);
        far.Trouble = new LoginAnswer.Unavailable("it sleeps");
    }

    private AccountVerifiers Open(StoreTerms terms) => Open([AccountStores.Bound(far, terms, fixture.Clock, health)]);

    private AccountVerifiers Open(IReadOnlyList<IAccountStore> stores) =>
        new(stores, fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
}
