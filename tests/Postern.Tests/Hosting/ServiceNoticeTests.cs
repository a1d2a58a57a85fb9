using Microsoft.Extensions.Hosting.Systemd;
using Postern.Machine;
using Postern.Testing;

namespace Postern.Tests.Hosting;

public sealed class ServiceNoticeTests
{
    private readonly ManualClock clock = new();
    private readonly Systemd systemd = new();

    [Fact]
    public void The_watchdog_is_told_twice_in_the_time_that_it_waits_and_no_more_after_the_end()
    {
        using (new ServiceNotice(systemd, TimeSpan.FromSeconds(60), clock))
        {
            Assert.Empty(systemd.Heard);
            clock.Advance(TimeSpan.FromSeconds(30));
            clock.Advance(TimeSpan.FromSeconds(30));
            Assert.Equal(["WATCHDOG=1", "WATCHDOG=1"], systemd.Heard);
        }

        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(2, systemd.Heard.Count);
    }

    [Fact]
    public void Where_systemd_does_not_watch_the_timer_is_not_there()
    {
        using var notice = new ServiceNotice(systemd, watchdogInterval: null, clock);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(systemd.Heard);
    }

    [Fact]
    public void A_reload_carries_the_time_at_which_it_begins()
    {
        using var notice = new ServiceNotice(systemd, watchdogInterval: null, clock);
        notice.Reloading();
        notice.Ready();
        Assert.StartsWith("RELOADING=1\nMONOTONIC_USEC=", systemd.Heard[0], StringComparison.Ordinal);
        Assert.Equal("READY=1", systemd.Heard[1]);
    }

    private sealed class Systemd : ISystemdNotifier
    {
        public List<string> Heard { get; } = [];

        public bool IsEnabled => true;

        public void Notify(ServiceState state) => Heard.Add(state.ToString());
    }
}
