using Postern.Relay.Accounts.Protection;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Protection;

public sealed class ProtectedTokensTests : ITokenVerifier
{
    private const string Office = "192.0.2.1";

    private readonly ProtectionFixture logins = new();
    private readonly ProtectedTokens tokens;
    private TaskCompletionSource? hold;
    private bool isDown;
    private int requests;

    public ProtectedTokensTests() => tokens = new ProtectedTokens(this, logins.Protection, logins.Clock);

    async ValueTask<LoginAnswer> ITokenVerifier.CheckTokenAsync(string token, string? peer, CancellationToken ct)
    {
        Interlocked.Increment(ref requests);
        if (hold is { } held)
            await held.Task;
        return isDown ? new LoginAnswer.Unavailable("down") : token.StartsWith("good", StringComparison.Ordinal) ? new LoginAnswer.Match("lisa") : new LoginAnswer.NoMatch("not active") { Scope = "mail" };
    }

    [Fact]
    public async Task Row_152_two_hundred_junk_tokens_make_forty_requests()
    {
        for (var i = 0; i < 200; i++)
            Assert.IsNotType<LoginAnswer.Match>(await CheckAsync($"junk{i}"));
        Assert.Equal(40, requests);
        Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync("good"));
    }

    [Fact]
    public async Task Row_153_a_token_that_is_known_to_be_wrong_makes_no_request_and_costs_nothing()
    {
        for (var i = 0; i < 200; i++)
            Assert.Equal(new LoginAnswer.NoMatch("not active") { Scope = "mail" }, await CheckAsync("junk"));
        Assert.Equal(1, requests);
        Assert.Equal(199, logins.Protection.Counts.Repeated);
        logins.Clock.Advance(ProtectedTokens.WrongFor);
        await CheckAsync("junk");
        Assert.Equal(2, requests);
    }

    [Fact]
    public async Task Row_154_the_same_token_at_the_same_time_is_one_request_and_only_so_many_are_asked_at_once()
    {
        hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var leaving = new CancellationTokenSource();
        var first = tokens.CheckTokenAsync("good", "lisa", Office, leaving.Token).AsTask();
        var second = CheckAsync("good", "lisa");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var others = Enumerable.Range(1, ProtectedTokens.MostUnderWay - 1).Select(i => CheckAsync($"good{i}", peer: $"198.51.{i}.1")).ToList();
        Assert.Equal(new LoginAnswer.Unavailable("too many tokens are being checked"), await CheckAsync("one more", peer: "203.0.113.1"));
        hold.SetResult();
        Assert.IsType<LoginAnswer.Match>(await second);
        Assert.All(await Task.WhenAll(others), static check => Assert.IsType<LoginAnswer.Match>(check));
        Assert.Equal(ProtectedTokens.MostUnderWay, requests);
    }

    [Fact]
    public async Task Row_155_where_nobody_answers_the_place_pays_and_a_token_that_was_right_before_does_not()
    {
        Assert.IsType<LoginAnswer.Match>(await CheckAsync("good", "lisa"));
        isDown = true;
        for (var i = 0; i < 200; i++)
            Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync($"junk{i}", "bart"));
        Assert.Equal(41, requests);
        for (var i = 0; i < 200; i++)
            await CheckAsync("good", "lisa");
        isDown = false;
        Assert.IsType<LoginAnswer.Match>(await CheckAsync("good", "lisa"));
        Assert.True(logins.LogIn("bart", "198.51.100.1"));
    }

    [Fact]
    public async Task A_token_of_ones_own_clears_nothing_of_the_account_that_was_named_with_it()
    {
        var guessed = 0;
        for (var i = 0; i < 200; i++)
        {
            guessed += logins.Guess("bart", Office) ? 1 : 0;
            await CheckAsync("good", "bart");
        }

        Assert.Equal(10, guessed);
        Assert.True(logins.Protection.IsKnown("lisa", Office));
        Assert.False(logins.Protection.IsKnown("bart", Office));
    }

    private async Task<LoginAnswer> CheckAsync(string token, string? user = null, string peer = Office) => await tokens.CheckTokenAsync(token, user, peer, CancellationToken.None);
}
