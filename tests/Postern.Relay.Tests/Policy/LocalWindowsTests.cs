using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Limits;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>Sliding windows: how much fits, what a restart keeps, and what a file that is damaged costs.</summary>
public sealed class LocalWindowsTests : IDisposable
{
    private static readonly LimitSubject Lisa = new(LimitScope.Logins, "lisa simpson@exämple.org");
    private static readonly WindowLimit TenAnHour = new(10, TimeSpan.FromHours(1));

    private readonly string folder = Directory.CreateTempSubdirectory("postern-windows-").FullName;
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string FilePath => Path.Combine(folder, "limits");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Whatever the times and sizes, no stretch as long as the window holds more than the limit.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task No_window_ever_lets_more_than_its_limit_through(int seed)
    {
        var random = new Random(seed);
        var window = TimeSpan.FromSeconds(random.Next(1, 7_200));
        var limit = new WindowLimit(random.Next(1, 200), window);
        using var counters = Open();
        var taken = new List<(DateTimeOffset At, long Cost)>();
        for (var i = 0; i < 5_000; i++)
        {
            clock.Advance(TimeSpan.FromTicks(random.NextInt64(window.Ticks / 20)));
            var cost = random.Next(1, (int)Math.Max(2, limit.Count / 4));
            if ((await AskAsync(counters, limit, cost)).Fits)
                taken.Add((clock.GetUtcNow(), cost));
        }

        var (from, used) = (0, 0L);
        foreach (var (at, cost) in taken)
        {
            used += cost;
            while (taken[from].At <= at - window)
                used -= taken[from++].Cost;
            Assert.InRange(used, 0, limit.Count);
        }

        Assert.True(taken.Count > 100);
    }

    /// <summary>The wait that is told is enough, and less would not be, but for a sixtieth of the window.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task Who_waits_as_long_as_he_is_told_is_served(int seed)
    {
        var random = new Random(seed);
        using var counters = Open();
        for (var i = 0; i < 500; i++)
        {
            clock.Advance(TimeSpan.FromTicks(random.NextInt64(TimeSpan.TicksPerMinute * 10)));
            var cost = random.Next(1, 11);
            if (await AskAsync(counters, TenAnHour, cost) is not { Fits: false, Wait: { } wait })
                continue;
            clock.Advance(wait - TimeSpan.FromTicks(1));
            Assert.False((await LookAsync(counters, TenAnHour, cost)).Fits);
            clock.Advance(TimeSpan.FromTicks(1));
            Assert.True((await AskAsync(counters, TenAnHour, cost)).Fits);
        }
    }

    [Fact]
    public async Task A_limit_is_given_whole_and_is_free_again_after_its_time()
    {
        using var counters = Open();
        for (var i = 0; i < 10; i++)
            Assert.True((await AskAsync(counters, TenAnHour)).Fits);
        var over = await AskAsync(counters, TenAnHour);
        Assert.Equal((false, 10L), (over.Fits, over.Used));
        Assert.InRange(over.Wait!.Value, TimeSpan.FromHours(1), TimeSpan.FromMinutes(61));
        clock.Advance(over.Wait.Value);
        for (var i = 0; i < 10; i++)
            Assert.True((await AskAsync(counters, TenAnHour)).Fits);
        Assert.Null((await AskAsync(counters, TenAnHour, cost: 11)).Wait);
    }

    [Fact]
    public async Task Of_a_group_that_does_not_fit_nothing_is_counted()
    {
        using var counters = Open();
        WindowClaim[] both = [new(Lisa, LimitThing.Messages, TenAnHour, 4), new(Lisa, LimitThing.Recipients, new(6, TimeSpan.FromDays(1)), 4)];
        Assert.True((await counters.AskAsync(both, takes: true, CancellationToken.None)).Fits);
        var over = await counters.AskAsync(both, takes: true, CancellationToken.None);
        Assert.Equal((1, 4L), (over.Refused, over.Used));
        Assert.Equal([(LimitThing.Messages, 4L), (LimitThing.Recipients, 4L)], (await counters.ListAsync([], CancellationToken.None)).Select(static u => (u.What, u.Used)));
    }

    [Fact]
    public async Task A_recipient_counts_once_until_it_was_left_alone_for_the_whole_time()
    {
        using var counters = Open();
        var limit = new WindowLimit(2, TimeSpan.FromHours(1));
        Assert.True((await SeeAsync(counters, limit, 7)).Fits);
        Assert.True((await SeeAsync(counters, limit, 8)).Fits);
        Assert.False((await SeeAsync(counters, limit, 9)).Fits);
        clock.Advance(TimeSpan.FromMinutes(50));
        Assert.True((await SeeAsync(counters, limit, 7)).Fits);
        clock.Advance(TimeSpan.FromMinutes(15)); // 8 is forgotten, 7 was seen
        Assert.True((await SeeAsync(counters, limit, 9)).Fits);
        Assert.False((await SeeAsync(counters, limit, 8)).Fits);
    }

    [Fact]
    public async Task Sessions_at_once_are_free_when_they_end()
    {
        using var counters = Open();
        Task<WindowAnswer> BeginAsync(string session) => counters.AskAsync(
            new WindowClaim[] { new(Lisa, LimitThing.Concurrency, new(2, TimeSpan.Zero), 1) { Session = session } }, takes: true, CancellationToken.None).AsTask();
        for (var i = 0; i < 3; i++)
            Assert.True((await BeginAsync("a")).Fits);
        Assert.True((await BeginAsync("b")).Fits);
        Assert.Equal((false, 2L), (await BeginAsync("c") is var full ? full.Fits : default, full.Used));
        counters.Release("c");
        counters.Release("a");
        Assert.True((await BeginAsync("c")).Fits);
        Assert.False((await BeginAsync("d")).Fits);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Counts_outlive_a_restart_and_but_for_a_second_a_kill(bool isStopped)
    {
        var counters = Open();
        for (var i = 0; i < 10; i++)
        {
            await AskAsync(counters, TenAnHour);
            await SeeAsync(counters, TenAnHour, (ulong)i);
        }

        if (isStopped)
            counters.Dispose();
        else
            clock.Advance(TimeSpan.FromSeconds(1));

        for (var i = 0; i < 3; i++)
        {
            using var again = Open();
            Assert.False((await AskAsync(again, TenAnHour)).Fits);
            Assert.False((await SeeAsync(again, TenAnHour, 99)).Fits);
            Assert.True((await SeeAsync(again, TenAnHour, 3)).Fits);
            Assert.Null(again.Lost);
        }

        Assert.Empty(audit.Events);
    }

    [Fact]
    public async Task A_torn_last_line_is_no_damage()
    {
        using (var counters = Open())
            await AskAsync(counters, TenAnHour, cost: 9);
        await File.AppendAllTextAsync(FilePath, "logins mess", Ct);
        using var again = Open();
        Assert.Null(again.Lost);
        Assert.Equal(9, (await LookAsync(again, TenAnHour)).Used);
    }

    /// <summary>One digit that has changed is found; what can be read counts, the file is set aside, and it is told.</summary>
    [Fact]
    public async Task A_damaged_file_is_told_and_set_aside_and_the_rest_of_it_counts()
    {
        using (var counters = Open())
        {
            await AskAsync(counters, TenAnHour, cost: 9);
            await AskAsync(counters, TenAnHour with { Window = TimeSpan.FromDays(1) }, cost: 9);
        }

        var text = await File.ReadAllTextAsync(FilePath, Ct);
        await File.WriteAllTextAsync(FilePath, text.Replace(" 9 - ", " 1 - ", StringComparison.Ordinal)[..^1].Replace("messages 86400", "messages 86401", StringComparison.Ordinal) + "\n", Ct);
        using (var again = Open())
        {
            Assert.Contains("0 lines can be read, 2 cannot", again.Lost, StringComparison.Ordinal);
            Assert.Equal("limits_lost", Assert.Single(audit.Events.OfType<ServerEvent>()).Event);
            Assert.True((await AskAsync(again, TenAnHour, cost: 9)).Fits);
        }

        Assert.True(File.Exists(FilePath + ".damaged"));
        using var whole = Open();
        Assert.Null(whole.Lost);
        Assert.Equal(9, (await LookAsync(whole, TenAnHour)).Used);
    }

    [Fact]
    public async Task A_damaged_file_stays_where_it_is_as_long_as_what_has_a_limit_is_put_off()
    {
        await File.WriteAllTextAsync(FilePath, "who are you\n", Ct);
        using (var counters = Open(defersIfLost: true))
        {
            Assert.NotNull(counters.Lost);
            await AskAsync(counters, TenAnHour);
            clock.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.Equal("who are you\n", await File.ReadAllTextAsync(FilePath, Ct));
        Assert.False(File.Exists(FilePath + ".damaged"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_told_once_and_written_when_it_can_be()
    {
        Directory.CreateDirectory(FilePath + ".new");
        using (var counters = Open())
        {
            for (var i = 0; i < 5; i++)
            {
                Assert.True((await AskAsync(counters, TenAnHour)).Fits);
                clock.Advance(TimeSpan.FromMinutes(1));
            }

            Assert.Equal("limits_not_kept", Assert.Single(audit.Events.OfType<ServerEvent>()).Event);
            Directory.Delete(FilePath + ".new");
            clock.Advance(TimeSpan.FromMinutes(2));
        }

        using var again = Open();
        Assert.Equal(5, (await LookAsync(again, TenAnHour)).Used);
    }

    [Fact]
    public async Task A_clock_that_was_wrong_shuts_nobody_out_for_longer_than_the_window()
    {
        clock.Set(TimeSpan.FromDays(400));
        using var counters = Open();
        Assert.True((await AskAsync(counters, TenAnHour, cost: 10)).Fits);
        clock.Set(TimeSpan.FromDays(-400));
        Assert.False((await AskAsync(counters, TenAnHour)).Fits);
        clock.Advance(TimeSpan.FromMinutes(61));
        Assert.True((await AskAsync(counters, TenAnHour)).Fits);
    }

    [Fact]
    public async Task What_is_raised_counts_until_its_time_over_a_restart_too()
    {
        var twenty = TenAnHour with { Count = 20 };
        using (var counters = Open())
        {
            await AskAsync(counters, TenAnHour, cost: 10);
            Assert.Null(await counters.RaiseAsync(new RaisedLimit(Lisa, LimitThing.Messages, twenty, clock.GetUtcNow() + TimeSpan.FromMinutes(30)), CancellationToken.None));
            Assert.Equal(twenty, (await AskAsync(counters, TenAnHour)).Limit);
        }

        using var again = Open();
        Assert.True((await AskAsync(again, TenAnHour)).Fits);
        clock.Advance(TimeSpan.FromMinutes(30));
        Assert.False((await AskAsync(again, TenAnHour)).Fits);
        await again.RaiseAsync(new RaisedLimit(Lisa, LimitThing.Messages, twenty, clock.GetUtcNow() + TimeSpan.FromMinutes(30)), CancellationToken.None);
        Assert.True((await LookAsync(again, TenAnHour)).Fits);
        Assert.Single(await again.LowerAsync(Lisa, what: null, CancellationToken.None));
        Assert.False((await LookAsync(again, TenAnHour)).Fits);
    }

    [Fact]
    public async Task So_many_strangers_are_remembered_and_those_that_used_the_most_stay()
    {
        using var counters = Open();
        await AskAsync(counters, TenAnHour, cost: 10);
        for (var i = 0; i < LocalWindows.MostWindows + 5_000; i++)
            await counters.AskAsync(new WindowClaim[] { new(new(LimitScope.Addresses, $"a{i}"), LimitThing.Messages, TenAnHour, 1) }, takes: true, CancellationToken.None);
        var all = await counters.ListAsync([], CancellationToken.None);
        Assert.InRange(all.Length, 1, LocalWindows.MostWindows);
        Assert.Equal(10, all.Single(static u => u.Of == Lisa).Used);
    }

    private LocalWindows Open(bool defersIfLost = false) => LocalWindows.Open(FilePath, audit, clock, defersIfLost);

    private static Task<WindowAnswer> AskAsync(LocalWindows counters, WindowLimit limit, long cost = 1) =>
        counters.AskAsync(new WindowClaim[] { new(Lisa, LimitThing.Messages, limit, cost) }, takes: true, CancellationToken.None).AsTask();

    private static Task<WindowAnswer> LookAsync(LocalWindows counters, WindowLimit limit, long cost = 1) =>
        counters.AskAsync(new WindowClaim[] { new(Lisa, LimitThing.Messages, limit, cost) }, takes: false, CancellationToken.None).AsTask();

    private static Task<WindowAnswer> SeeAsync(LocalWindows counters, WindowLimit limit, ulong item) =>
        counters.AskAsync(new WindowClaim[] { new(Lisa, LimitThing.DistinctRecipients, limit, 1) { Item = item } }, takes: true, CancellationToken.None).AsTask();
}
