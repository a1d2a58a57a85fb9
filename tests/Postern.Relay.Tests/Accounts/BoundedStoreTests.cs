using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

public sealed class BoundedStoreTests
{
    private readonly ManualClock clock = new();
    private readonly FarStore far = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public BoundedStoreTests() => far.Add("lisa", "tiger");

    [Fact]
    public async Task A_question_that_is_not_answered_in_time_is_not_answered()
    {
        var store = far.Bound(clock, new StoreTerms { Timeout = TimeSpan.FromSeconds(2) });
        far.Close();
        var asked = store.FindAsync("lisa", Ct).AsTask();
        clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(asked.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(new LoginAnswer.Unavailable("no answer within 2 s"), await asked);
        Assert.Equal(1, far.Left);
        far.Open();
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa", Ct));
    }

    [Fact]
    public async Task A_store_that_does_not_heed_its_deadline_is_not_waited_for_and_counts_until_it_comes_back()
    {
        var store = far.Bound(clock, new StoreTerms { Timeout = TimeSpan.FromSeconds(2), MostQuestions = 1 });
        far.IsDeaf = true;
        far.Close();
        var asked = store.FindAsync("lisa", Ct).AsTask();
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.IsType<LoginAnswer.Unavailable>(await asked);
        var turnedAway = store.FindAsync("lisa", Ct).AsTask();
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new LoginAnswer.Busy("no turn among the 1 questions that are asked there at a time (pool)"), await turnedAway);
        var waiting = store.FindAsync("lisa", Ct).AsTask();
        far.Open();
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await waiting);
    }

    [Fact]
    public async Task Many_who_want_to_know_the_same_ask_once_and_beyond_its_room_they_wait_for_a_turn()
    {
        var store = far.Bound(clock, new StoreTerms { MostQuestions = 2 });
        far.Close();
        var same = Enumerable.Range(0, 100).Select(_ => store.FindAsync("lisa", Ct).AsTask()).ToList();
        var other = store.FindAsync("bart", Ct).AsTask();
        var behind = Enumerable.Range(0, 100).Select(_ => store.FindAsync("maggie", Ct).AsTask()).ToList();
        Assert.Equal(2, far.Asked);
        Assert.Equal((2, 1), (AccountStores.ConditionOf(store).UnderWay, AccountStores.ConditionOf(store).Waiting));
        far.Open();
        Assert.All(await Task.WhenAll(same), static answer => Assert.IsType<LoginAnswer.Found<StoredLogin>>(answer));
        Assert.IsType<LoginAnswer.NoMatch>(await other);
        Assert.All(await Task.WhenAll(behind), static answer => Assert.IsType<LoginAnswer.NoMatch>(answer));
        Assert.Equal(3, far.Asked);
    }

    [Fact]
    public async Task A_question_waits_for_a_turn_half_of_the_timeout_and_has_what_is_left_for_its_answer()
    {
        var store = far.Bound(clock, new StoreTerms { Timeout = TimeSpan.FromSeconds(2), MostQuestions = 1 });
        far.Close();
        using var leaving = new CancellationTokenSource();
        var first = store.FindAsync("lisa", leaving.Token).AsTask();
        var second = store.FindAsync("bart", Ct).AsTask();
        var third = store.FindAsync("maggie", Ct).AsTask();
        clock.Advance(TimeSpan.FromSeconds(0.5));
        var fourth = store.FindAsync("homer", Ct).AsTask();
        await leaving.CancelAsync(); // who waited for the first has left, and its turn is the second's
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await far.UntilAskedAsync(2);
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.IsType<LoginAnswer.Busy>(await third);
        Assert.False(fourth.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.IsType<LoginAnswer.Busy>(await fourth);
        Assert.False(second.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(new LoginAnswer.Unavailable("no answer within 2 s"), await second);
        Assert.Equal((2, 2L, 1L), (far.Asked, AccountStores.ConditionOf(store).TurnedAway, AccountStores.ConditionOf(store).Unanswered));
    }

    [Fact]
    public async Task Who_leaves_while_he_waits_for_a_turn_is_never_asked_about()
    {
        var store = far.Bound(clock, new StoreTerms { MostQuestions = 1 });
        far.Close();
        using var leaving = new CancellationTokenSource();
        var first = store.FindAsync("lisa", Ct).AsTask();
        var gone = store.FindAsync("bart", leaving.Token).AsTask();
        var last = store.FindAsync("maggie", Ct).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.Equal(1, AccountStores.ConditionOf(store).Waiting);
        far.Open();
        await first;
        await last;
        Assert.Equal((2, 0), (far.Asked, far.Left));
    }

    [Fact]
    public async Task Only_so_many_wait_for_a_turn_and_the_others_are_told_at_once()
    {
        var store = far.Bound(clock, new StoreTerms { MostQuestions = 2 });
        far.Close();
        var all = Enumerable.Range(0, 2 + 40).Select(i => store.FindAsync($"user{i}", Ct).AsTask()).ToList();
        Assert.IsType<LoginAnswer.Busy>(await store.FindAsync("maggie", Ct));
        Assert.Equal(40, AccountStores.ConditionOf(store).Waiting);
        far.Open();
        Assert.All(await Task.WhenAll(all), static answer => Assert.IsType<LoginAnswer.NoMatch>(answer));
        Assert.Equal((42, 0), (far.Asked, AccountStores.ConditionOf(store).Waiting));
    }

    [Fact]
    public async Task The_store_hears_when_the_last_who_waited_has_left_and_not_before()
    {
        var store = far.Bound(clock);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        far.Close();
        var (a, b) = (store.FindAsync("lisa", first.Token).AsTask(), store.FindAsync("lisa", second.Token).AsTask());
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => a);
        Assert.Equal(0, far.Left);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => b);
        Assert.Equal(1, far.Left);
        var again = store.FindAsync("lisa", Ct).AsTask(); // a new question, not the one that was given up
        far.Open();
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await again);
        Assert.Equal(2, far.Asked);
    }

    [Fact]
    public async Task An_answer_is_remembered_for_its_time_and_trouble_never()
    {
        var store = far.Bound(clock, new StoreTerms { Remember = TimeSpan.FromMinutes(5), RememberNobody = TimeSpan.FromSeconds(10) });
        far.Trouble = new LoginAnswer.Unavailable("down");
        Assert.Equal(far.Trouble, await store.FindAsync("lisa", Ct));
        far.Trouble = null;
        Assert.Same(await store.FindAsync("lisa", Ct), await store.FindAsync("lisa", Ct));
        Assert.IsType<LoginAnswer.NoMatch>(await store.FindAsync("bart", Ct));
        far.Remove("lisa");
        far.Add("bart", "skateboard");
        clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.IsType<LoginAnswer.NoMatch>(await store.FindAsync("bart", Ct));
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("bart", Ct));
        clock.Advance(TimeSpan.FromMinutes(4.8));
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa", Ct));
        clock.Advance(TimeSpan.FromMinutes(0.1));
        Assert.IsType<LoginAnswer.NoMatch>(await store.FindAsync("lisa", Ct));
    }

    [Fact]
    public async Task Names_that_nobody_has_push_nobody_out_of_what_is_remembered()
    {
        var store = far.Bound(clock, new StoreTerms { Capacity = 10 });
        await store.FindAsync("lisa", Ct);
        for (var i = 0; i < 1000; i++)
            await store.FindAsync($"nobody{i}", Ct);
        var asked = far.Asked;
        await store.FindAsync("lisa", Ct);
        Assert.Equal(asked, far.Asked);
    }

    [Fact]
    public async Task Whoever_asks_after_a_change_does_not_wait_for_a_question_of_before_it()
    {
        var bounds = Assert.IsType<BoundedStore>(far.Bound(clock));
        far.Close();
        var before = bounds.FindAsync("lisa", Ct).AsTask();
        clock.Advance(TimeSpan.FromSeconds(1));
        var since = clock.GetTimestamp();
        Assert.True(bounds.Forget("lisa", since));
        Assert.False(bounds.Forget("lisa", since)); // there is nothing of before any more
        var after = bounds.FindAsync("lisa", Ct).AsTask();
        Assert.Equal(2, far.Asked);
        Assert.False(bounds.Forget("lisa", since)); // it was asked since then
        far.Open();
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await before);
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await after);
        Assert.False(bounds.Forget("lisa", since)); // and what counts is the later answer
    }

    [Fact]
    public async Task A_password_that_the_store_found_right_is_remembered_for_its_time_and_a_wrong_one_is_asked_about_again()
    {
        var store = far.Bound(clock, new StoreTerms { Remember = TimeSpan.FromMinutes(5) });
        for (var i = 0; i < 3; i++)
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "tiger"));
        Assert.Equal(1, far.Checked);
        for (var i = 0; i < 3; i++)
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, "lion"));
        Assert.Equal(4, far.Checked);
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "tiger"));
        Assert.Equal(5, far.Checked);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(far.Bound(clock), "tiger")); // configured anew, it remembers nothing
        Assert.Equal(6, far.Checked);
    }

    [Fact]
    public async Task A_password_that_was_right_is_asked_about_again_when_another_was_right_since()
    {
        var store = far.Bound(clock);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "tiger"));
        far.Add("lisa", "leopard");
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "tiger")); // nobody has noticed
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "leopard"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, "tiger"));
    }

    [Fact]
    public async Task What_a_store_throws_is_trouble_and_nothing_of_its_text_is_told()
    {
        far.Throws = new InvalidOperationException("tiger is not the password of lisa");
        var store = far.Bound(clock);
        Assert.Equal(new LoginAnswer.Unavailable("a look-up threw InvalidOperationException"), await store.FindAsync("lisa", Ct));
        Assert.Equal(new LoginAnswer.Unavailable("checking a password threw InvalidOperationException"), await CheckAsync(store, "tiger"));
    }

    [Fact]
    public async Task A_try_says_what_a_login_would_be_told_and_in_the_same_time()
    {
        var store = far.Bound(clock);
        Assert.Null(await store.ProbeAsync(Ct));
        far.Trouble = new LoginAnswer.Unavailable("it sleeps");
        Assert.Equal("it sleeps", await store.ProbeAsync(Ct));
        (far.Trouble, far.Throws) = (null, new InvalidOperationException("tiger"));
        Assert.Equal("a question for a try threw InvalidOperationException", await store.ProbeAsync(Ct));
        far.Throws = null;
        far.Close();
        var asked = store.ProbeAsync(Ct).AsTask();
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("no answer within 2 s", await asked);
        far.Open();
        far.Add(IAccountStore.NobodysName, "tiger");
        Assert.Contains("it finds somebody", await store.ProbeAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_is_disposed_with_the_chain_that_has_it()
    {
        new StoreChain([far.Bound(clock)], directory: null).Dispose();
        Assert.True(far.IsDisposed);
    }

    private static async Task<LoginAnswer> CheckAsync(IAccountStore store, string password) => await store.CheckPasswordAsync("lisa", new Password(Encoding.UTF8.GetBytes(password)), Ct);
}
