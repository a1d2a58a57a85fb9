using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

public sealed class LoginFailuresTests : IAuditLog
{
    private readonly ManualClock clock = new();
    private readonly List<string> told = [];
    private readonly LoginFailures failures;

    public LoginFailuresTests() => failures = new LoginFailures(this, clock);

    long IAuditLog.Dropped => 0;

    void IAuditLog.Append(AuditEvent audit) => told.Add($"{((AuditEvent.Server)audit).Event} {((AuditEvent.Server)audit).Detail.Split(':')[0]}");

    ValueTask IAuditLog.FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

    ValueTask IAsyncDisposable.DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Row_54_guesses_over_any_number_of_connections_are_hashed_twenty_times_and_then_wait()
    {
        using var fixture = new DirectoryFixture();
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1, QueueLength = 300, PlacesPerPeer = 300 });
        var verifiers = new AccountVerifiers([fixture.Store()], pool, new VerificationCache(clock), clock, failures);
        var password = fixture.AddAccount("lisa");

        for (var i = 0; i < 200; i++)
            Assert.IsNotType<PasswordCheck.Match>(await verifiers.CheckAsync("lisa", "guess"u8.ToArray(), "192.0.2.1", CancellationToken.None));
        Assert.Equal(LoginFailures.Most, pool.Computed);
        Assert.Equal(new PasswordCheck.Unavailable(LoginFailures.Reason), await verifiers.CheckAsync("lisa", System.Text.Encoding.UTF8.GetBytes(password), "192.0.2.1", CancellationToken.None));
        Assert.IsType<PasswordCheck.Match>(await verifiers.CheckAsync("lisa", System.Text.Encoding.UTF8.GetBytes(password), "192.0.2.2", CancellationToken.None));

        clock.Advance(LoginFailures.Pause);
        Assert.IsType<PasswordCheck.Match>(await verifiers.CheckAsync("lisa", System.Text.Encoding.UTF8.GetBytes(password), "192.0.2.1", CancellationToken.None));
        Assert.Equal(["logins_paused 192.0.2.1", "logins_resumed 192.0.2.1"], told);
    }

    [Fact]
    public void A_success_in_between_begins_the_count_again()
    {
        for (var round = 0; round < 5; round++)
        {
            Fail("192.0.2.1", LoginFailures.Most - 1);
            failures.NoteSuccess("192.0.2.1");
        }

        Assert.False(failures.IsPaused("192.0.2.1"));
        Assert.Empty(told);
        Assert.Equal(0, failures.Count);
    }

    [Fact]
    public void Failures_of_long_ago_do_not_count()
    {
        Fail("192.0.2.1", LoginFailures.Most - 1);
        clock.Advance(LoginFailures.Window);
        Fail("192.0.2.1", LoginFailures.Most - 1);
        Assert.False(failures.IsPaused("192.0.2.1"));
        Fail("192.0.2.1", 1);
        Assert.True(failures.IsPaused("192.0.2.1"));
    }

    [Fact]
    public void A_pause_ends_by_itself_and_is_not_made_longer_by_failures_that_were_under_way()
    {
        Fail("192.0.2.1", LoginFailures.Most);
        clock.Advance(LoginFailures.Pause / 2);
        Fail("192.0.2.1", 10);
        clock.Advance(LoginFailures.Pause / 2);
        Assert.False(failures.IsPaused("192.0.2.1"));
        Fail("192.0.2.1", LoginFailures.Most - 1);
        Assert.False(failures.IsPaused("192.0.2.1"));
    }

    [Fact]
    public void Neighbours_in_one_64_count_together_and_a_client_without_an_address_is_never_paused()
    {
        for (var i = 0; i < LoginFailures.Most; i++)
            failures.NoteFailure($"2001:db8::{i:x}");
        Assert.True(failures.IsPaused("2001:db8::ffff"));
        Assert.False(failures.IsPaused("2001:db8:0:1::1"));
        Fail(peer: null, 100);
        Assert.False(failures.IsPaused(null));
    }

    [Fact]
    public void Many_addresses_take_no_more_than_their_room_and_the_latest_are_known()
    {
        var small = new LoginFailures(this, clock) { Capacity = 100 };
        for (var i = 0; i < 10_000; i++)
            small.NoteFailure($"10.0.{i / 250}.{i % 250}");
        Assert.InRange(small.Count, 50, 100);
        for (var i = 0; i < LoginFailures.Most; i++)
            small.NoteFailure("192.0.2.1");
        Assert.True(small.IsPaused("192.0.2.1"));
    }

    private void Fail(string? peer, int times)
    {
        for (var i = 0; i < times; i++)
            failures.NoteFailure(peer);
    }
}
