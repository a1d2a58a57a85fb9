using Postern.Relay.Accounts;
using Postern.Relay.Policy.Counters;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

public sealed class LocalCountersTests : IDisposable
{
    private static readonly CounterKey Lisa = new("login_messages", "lisa simpson@exämple.org");
    private static readonly RateLimit TenAnHour = new(10, TimeSpan.FromHours(1));

    private readonly string folder = Directory.CreateTempSubdirectory("postern-counters-").FullName;
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();

    private string FilePath => Path.Combine(folder, "counters");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_limit_is_given_whole_and_flows_back_evenly()
    {
        using var counters = Open();
        for (var i = 1; i <= 10; i++)
            Assert.Equal(new CounterLevel(Fits: true, i, TimeSpan.Zero), await TakeAsync(counters));
        var over = await TakeAsync(counters);
        Assert.Equal((false, 10, TimeSpan.FromMinutes(6)), (over.Fits, over.Used, over.Wait));

        clock.Advance(TimeSpan.FromMinutes(6));
        Assert.True((await TakeAsync(counters)).Fits);
        Assert.False((await TakeAsync(counters)).Fits);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, (await PeekAsync(counters)).Used);
    }

    [Fact]
    public async Task A_look_counts_nothing_and_what_does_not_fit_whole_is_not_counted()
    {
        using var counters = Open();
        for (var i = 0; i < 20; i++)
            Assert.Equal(0, (await PeekAsync(counters)).Used);
        Assert.False((await counters.TakeAsync(Lisa, TenAnHour, cost: 11, CancellationToken.None)).Fits);
        Assert.Equal(10, (await counters.TakeAsync(Lisa, TenAnHour, cost: 10, CancellationToken.None)).Used);
        Assert.True((await counters.PeekAsync(Lisa with { Whose = "bart" }, TenAnHour, cost: 10, CancellationToken.None)).Fits);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Counts_outlive_a_restart_and_but_for_a_second_a_kill(bool isStopped)
    {
        var counters = Open();
        for (var i = 0; i < 10; i++)
            await TakeAsync(counters);
        if (isStopped)
            counters.Dispose();
        else
            clock.Advance(TimeSpan.FromSeconds(1));

        using var again = Open();
        Assert.False((await TakeAsync(again)).Fits);
        clock.Advance(TimeSpan.FromMinutes(30));
        Assert.InRange((await PeekAsync(again)).Used, 4, 5);
        Assert.Empty(audit.Events);
    }

    [Fact]
    public async Task A_line_that_was_cut_off_is_passed_over_and_a_file_of_others_is_told_and_left_alone()
    {
        using (var counters = Open())
            await counters.TakeAsync(Lisa, TenAnHour, cost: 10, CancellationToken.None);
        await File.AppendAllTextAsync(FilePath, "6390", TestContext.Current.CancellationToken);
        using (var again = Open())
        {
            Assert.False((await TakeAsync(again)).Fits);
            clock.Advance(TimeSpan.FromMinutes(10));
            await TakeAsync(again);
        }

        Assert.All((await File.ReadAllLinesAsync(FilePath, TestContext.Current.CancellationToken)).Skip(1), static line => Assert.Equal(4, line.Split(' ').Length));

        await File.WriteAllTextAsync(FilePath, "something else\n", TestContext.Current.CancellationToken);
        using (var other = Open())
            await TakeAsync(other);
        Assert.Equal("something else\n", await File.ReadAllTextAsync(FilePath, TestContext.Current.CancellationToken));
        Assert.Single(audit.Events);
    }

    /// <summary>Its lines say no time.</summary>
    [Fact]
    public async Task What_an_older_version_has_counted_goes_on()
    {
        using (var counters = Open())
            await counters.TakeAsync(Lisa, TenAnHour, cost: 10, CancellationToken.None);
        var lines = await File.ReadAllLinesAsync(FilePath, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(FilePath, lines.Select(static (line, i) => i == 0 ? line : line[..line.LastIndexOf(' ')]), TestContext.Current.CancellationToken);
        using var again = Open();
        Assert.False((await TakeAsync(again)).Fits);
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.True((await TakeAsync(again)).Fits);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_told_once_and_tried_again()
    {
        using var counters = Open();
        Directory.CreateDirectory($"{FilePath}.new");
        await counters.TakeAsync(Lisa, TenAnHour, cost: 10, CancellationToken.None);
        for (var i = 0; i < 3; i++)
            clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(audit.Events);
        Directory.Delete($"{FilePath}.new");
        clock.Advance(TimeSpan.FromMinutes(1));

        using var again = Open();
        Assert.InRange((await PeekAsync(again)).Used, 9, 10);
    }

    [Fact]
    public async Task A_clock_that_was_wrong_shuts_nobody_out_for_longer_than_the_limits_own_time()
    {
        using var counters = Open();
        clock.Set(TimeSpan.FromDays(3650));
        await counters.TakeAsync(Lisa, TenAnHour, cost: 10, CancellationToken.None);
        clock.Set(TimeSpan.FromDays(-3650));
        Assert.Equal(TimeSpan.FromMinutes(6), (await PeekAsync(counters)).Wait);
    }

    [Fact]
    public async Task Only_so_many_are_remembered_and_those_that_would_be_empty_first_go()
    {
        using var counters = Open();
        await counters.TakeAsync(Lisa, TenAnHour, cost: 10, CancellationToken.None);
        for (var i = 0; i < LocalCounters.MostKeys + 10; i++)
            await counters.TakeAsync(new CounterKey("n", $"{i}"), TenAnHour, cost: 1, CancellationToken.None);
        Assert.False((await TakeAsync(counters)).Fits);
    }

    private LocalCounters Open() => LocalCounters.Open(FilePath, audit, clock);

    private static ValueTask<CounterLevel> TakeAsync(LocalCounters counters) => counters.TakeAsync(Lisa, TenAnHour, cost: 1, CancellationToken.None);

    private static ValueTask<CounterLevel> PeekAsync(LocalCounters counters) => counters.PeekAsync(Lisa, TenAnHour, cost: 1, CancellationToken.None);
}
