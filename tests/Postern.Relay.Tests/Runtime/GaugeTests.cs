using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Tests.Accounts;
using Postern.Relay.Tests.Spool;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Overload;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

public sealed class GaugeTests
{
    [Fact]
    public async Task Logins_that_wait_to_be_hashed_stress_the_server_and_never_fill_it()
    {
        using var hash = new GatedHash();
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1, QueueLength = 4 });
        var gauge = new HashingGauge(pool);
        var cache = new VerificationCache(new ManualClock());
        Assert.Equal((0.0, LoadState.Stressed), (gauge.Read(), ((IPressureGauge)gauge).Heaviest));

        var running = Check("first");
        await hash.StartedAsync();
        var waiting = Enumerable.Range(0, 3).Select(i => Check($"waiting{i}")).ToList();
        Assert.Equal(0.75, gauge.Read());
        hash.Allow(4);
        await Task.WhenAll([running, .. waiting]);
        Assert.Equal(0, gauge.Read());

        Task<LoginAnswer> Check(string user)
        {
            var login = hash.Login(user);
            return pool.CheckAsync(cache.KeyFor("s", login, "x"u8), login, "x"u8.ToArray(), HashCosts.None, peer: null, isKnown: false, default, CancellationToken.None).AsTask();
        }
    }

    [Fact]
    public async Task A_spool_without_room_stresses_the_server_and_answers_for_itself()
    {
        using var home = new SpoolHome();
        await using var spool = home.Open(reserve: 1000);
        var gauge = new SpoolGauge(spool);
        Assert.Equal((0.0, LoadState.Stressed), (gauge.Read(), gauge.Heaviest));
        home.Files.FakeSpace = static () => new DiskSpace(Free: 10, Total: 100_000);
        home.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, gauge.Read());
        home.Files.FakeSpace = null;
        home.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, gauge.Read());
    }

    [Fact]
    public async Task A_disk_that_takes_five_seconds_for_a_commit_fills_the_server_and_a_quiet_one_does_not()
    {
        using var home = new SpoolHome();
        await using var spool = home.Open();
        var gauge = new CommitGauge(spool);
        await Samples.CommitAsync(spool, "quick"u8.ToArray());
        Assert.Equal(0, gauge.Read());

        home.Files.Fault = call =>
        {
            if (call == "Sync")
                home.Clock.Advance(TimeSpan.FromSeconds(5));
            return 0;
        };
        await Samples.CommitAsync(spool, "slow"u8.ToArray());
        home.Files.Heal();
        Assert.InRange(gauge.Read(), 1, 10);
        await Samples.CommitAsync(spool, "quick again"u8.ToArray());
        Assert.Equal(0, gauge.Read());
    }
}
