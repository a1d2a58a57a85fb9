using Postern.Smtp.Overload;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Tests.Overload;

public sealed class LoadMonitorTests
{
    private readonly List<string> told = [];
    private readonly FakeGauge work = new("work");
    private readonly FakeGauge disk = new("disk", isStorage: true);
    private readonly FakeGauge places = new("places", heaviest: LoadState.Stressed);
    private readonly LoadMonitor monitor;

    public LoadMonitorTests() => monitor = new LoadMonitor([work, disk, places], new LoadThresholds(), OnLoadChanged, OnGaugeFault);

    private void OnLoadChanged(LoadState state, string gauge, double value) => told.Add(FormattableString.Invariant($"{state} {gauge} {value}"));

    private void OnGaugeFault(string gauge, Exception fault) => told.Add($"{gauge}: {fault.Message}");

    [Theory]
    [InlineData(0.79, LoadState.Normal)]
    [InlineData(0.8, LoadState.Stressed)]
    [InlineData(0.94, LoadState.Stressed)]
    [InlineData(0.95, LoadState.Full)]
    [InlineData(17, LoadState.Full)]
    [InlineData(-1, LoadState.Normal)]
    [InlineData(double.NaN, LoadState.Normal)]
    public void One_reading_makes_it_heavier(double value, LoadState expected)
    {
        work.Value = value;
        monitor.Sample();
        Assert.Equal(expected, monitor.State);
    }

    [Fact]
    public void It_gets_lighter_by_itself_one_step_after_five_calm_readings()
    {
        work.Value = 1;
        Sample(1);
        work.Value = 0;
        Sample(4);
        Assert.Equal(LoadState.Full, monitor.State);
        Sample(1);
        Assert.Equal(LoadState.Stressed, monitor.State);
        Sample(4);
        Assert.Equal(LoadState.Stressed, monitor.State);
        Sample(1);
        Assert.Equal(LoadState.Normal, monitor.State);
        Assert.Equal(["Full work 1", "Stressed places 0", "Normal places 0"], told);
    }

    [Fact]
    public void A_reading_between_the_thresholds_keeps_the_state_and_begins_the_count_again()
    {
        work.Value = 0.85;
        Sample(1);
        work.Value = 0.1;
        Sample(4);
        work.Value = 0.7;
        Sample(100);
        Assert.Equal(LoadState.Stressed, monitor.State);
        work.Value = 0.1;
        Sample(4);
        Assert.Equal(LoadState.Stressed, monitor.State);
        Sample(1);
        Assert.Equal(LoadState.Normal, monitor.State);
    }

    [Fact]
    public void A_gauge_that_may_only_stress_never_fills_nor_keeps_full()
    {
        places.Value = 1;
        Sample(10);
        Assert.Equal(LoadState.Stressed, monitor.State);
        work.Value = 1;
        Sample(1);
        Assert.Equal(LoadState.Full, monitor.State);
        work.Value = 0;
        Sample(5);
        Assert.Equal(LoadState.Stressed, monitor.State);
        Sample(50);
        Assert.Equal(LoadState.Stressed, monitor.State);
    }

    [Fact]
    public void Mail_is_refused_by_what_is_short()
    {
        Assert.Null(monitor.Refusal);
        disk.Value = 1;
        Sample(1);
        Assert.Same(StandardReply.NoStorage, monitor.Refusal);
        disk.Value = 0;
        Sample(5);
        Assert.Null(monitor.Refusal);
        work.Value = 1;
        Sample(1);
        Assert.Same(StandardReply.Busy, monitor.Refusal);
    }

    [Fact]
    public void The_report_names_the_highest_gauge_and_counts_the_switches()
    {
        for (var i = 0; i < 3; i++)
        {
            work.Value = i == 2 ? 0.9 : 0.99;
            Sample(1);
            work.Value = 0;
            Sample(10);
        }

        disk.Value = 0.25;
        Sample(1);
        Assert.Equal(new LoadReport(LoadState.Normal, "disk", 0.25, TimesStressed: 3, TimesFull: 2), monitor.Report);
    }

    [Fact]
    public void A_gauge_that_throws_is_told_once_and_the_others_are_read_on()
    {
        work.Broken = new InvalidOperationException("a gauge that breaks");
        disk.Value = 0.9;
        Sample(3);
        Assert.Equal(["work: a gauge that breaks", "Stressed disk 0.9"], told);
        Assert.Equal(1, work.Readings);
        Assert.Equal(3, disk.Readings);
    }

    private void Sample(int times)
    {
        for (var i = 0; i < times; i++)
            monitor.Sample();
    }
}
