using Postern.Relay.Accounts.Protection;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Protection;

public sealed class LoginDelayTests
{
    private const string Office = "192.0.2.1";

    private ProtectionFixture logins = new(new LoginProtectionOptions());
    private TimeSpan longest = TimeSpan.FromSeconds(8);

    [Fact]
    public async Task Row_245_logins_wait_from_half_a_budget_on_longer_each_time()
    {
        for (var i = 0; i < 10; i++)
        {
            var turn = Enter("lisa", Office);
            Assert.Equal(i < 5, turn.IsCompleted);
            if (i is 5 or 9)
            {
                logins.Clock.Advance(TimeSpan.FromSeconds(i == 5 ? 0.9 : 6.5));
                Assert.False(turn.IsCompleted);
                logins.Clock.Advance(TimeSpan.FromSeconds(0.2));
            }
            else
            {
                logins.Clock.Advance(TimeSpan.FromSeconds(i < 5 ? 0 : 8));
            }

            logins.Protection.Settle(await turn, LoginOutcome.Wrong, isUser: true);
        }

        Assert.Equal(5, logins.Protection.Counts.Delayed);
    }

    [Fact]
    public async Task Row_246_sixty_four_sessions_wait_and_the_next_is_closed()
    {
        // Twenty wrong names from each of many addresses: half of what each may.
        for (var place = 0; place < 66; place++)
        {
            for (var i = 0; i < 20; i++)
                logins.Protection.Settle(await Enter($"user{i}x{place}", $"10.0.{place}.1"), LoginOutcome.Wrong);
        }

        using var cancellation = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 64).Select(place => logins.Protection.EnterAsync($"new{place}", $"10.0.{place}.1", cancellation.Token).AsTask()).ToList();
        Assert.All(waiting, static turn => Assert.False(turn.IsCompleted));
        Assert.IsType<LoginAnswer.TooMany>((await Enter("new", "10.0.64.1")).Refusal);
        Assert.Null((await Enter("new", "10.1.0.1")).Refusal); // nothing is held against that place
        Assert.Equal(64, logins.Protection.Counts.Delayed);
        Assert.Equal(1, logins.Protection.Counts.Closed);

        // Who leaves gives the place back.
        await cancellation.CancelAsync();
        foreach (var turn in waiting)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn);
        Assert.False(Enter("new", "10.0.65.1").IsCompleted);
    }

    [Fact]
    public async Task Row_247_guesses_in_parallel_get_no_more_than_one_after_another()
    {
        var turns = Enumerable.Range(0, 32).Select(_ => Enter("lisa", Office)).ToList();
        var admitted = turns.Where(static t => t.IsCompleted).ToList();
        Assert.Equal(10, admitted.Count);

        foreach (var turn in admitted)
            logins.Protection.Settle(await turn, LoginOutcome.Wrong, isUser: true);
        Assert.All(await Task.WhenAll(turns.Except(admitted)), static t => Assert.IsType<LoginAnswer.Unavailable>(t.Refusal));
    }

    [Fact]
    public async Task Right_logins_in_parallel_wait_for_one_another_and_all_come_in()
    {
        var turns = Enumerable.Range(0, 100).Select(i => Enter($"colleague{i}", Office)).ToList();
        Assert.Equal(40, turns.Count(static t => t.IsCompleted));
        await Task.WhenAll(turns.Select(async waiting =>
        {
            var turn = await waiting;
            Assert.Null(turn.Refusal);
            logins.Protection.Settle(turn, LoginOutcome.Right, isUser: true);
        }));
    }

    [Fact]
    public async Task Who_waits_for_others_too_long_is_told_to_come_later()
    {
        var turns = Enumerable.Range(0, 11).Select(_ => Enter("lisa", Office)).ToList();
        Assert.False(turns[10].IsCompleted);
        logins.Clock.Advance(TimeSpan.FromSeconds(8));
        Assert.IsType<LoginAnswer.Unavailable>((await turns[10]).Refusal);
        Assert.Equal(1, logins.Protection.Counts.Crowded);
    }

    [Fact]
    public async Task The_owner_who_came_again_is_not_kept_out_by_a_full_room()
    {
        // Short delays: filling the room must not take so long that the budgets flow off.
        longest = TimeSpan.FromMilliseconds(8);
        logins = new ProtectionFixture(new LoginProtectionOptions { LongestDelay = longest });
        for (var i = 0; await SettleWrong("lisa", $"10.1.{i}.1"); i++)
            Assert.InRange(i, 0, 60);
        Assert.IsType<LoginAnswer.Unavailable>((await Enter("lisa", "203.0.113.5")).Refusal);
        logins.Clock.Advance(LoginProtection.ComeAgain);
        for (var i = 0; await SettleWrong("lisa", $"10.2.{i}.1"); i++)
            Assert.InRange(i, 0, 60);
        for (var place = 0; place < 64; place++)
        {
            for (var i = 0; i < 20; i++)
                await SettleWrong($"user{i}x{place}", $"10.0.{place}.1");
        }

        var crowd = Enumerable.Range(0, 64).Select(place => Enter($"new{place}", $"10.0.{place}.1")).ToList();
        Assert.All(crowd, static turn => Assert.False(turn.IsCompleted));
        Assert.Null((await Enter("lisa", "203.0.113.5")).Refusal);
    }

    private Task<LoginTurn> Enter(string account, string peer) => logins.Protection.EnterAsync(account, peer, CancellationToken.None).AsTask();

    /// <summary>A wrong login, after its delay. False where it was not checked.</summary>
    private async Task<bool> SettleWrong(string account, string peer)
    {
        var waiting = Enter(account, peer);
        if (!waiting.IsCompleted)
            logins.Clock.Advance(longest);
        var turn = await waiting;
        logins.Protection.Settle(turn, LoginOutcome.Wrong, isUser: true);
        return turn.Refusal is null;
    }
}
