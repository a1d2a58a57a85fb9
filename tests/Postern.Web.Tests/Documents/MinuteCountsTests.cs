using Postern.Relay.Audit.Events;
using Postern.Testing;
using Postern.Web.Traffic;

namespace Postern.Web.Tests.Documents;

public class MinuteCountsTests
{
    private readonly ManualClock clock = new(EventLog.Noon);

    [Fact]
    public void Each_minute_has_its_count_and_old_ones_are_forgotten()
    {
        var counts = new MinuteCounts(clock);
        for (var i = 0; i < 3; i++)
            counts.Offer(Mail());
        clock.Advance(TimeSpan.FromMinutes(2));
        counts.Offer(Mail());
        Assert.Equal([0, 3, 0, 1], counts.Read(Counted.Accepted, 4, 1));
        Assert.Equal([0, 4], counts.Read(Counted.Accepted, 2, 3));
        Assert.Equal([0, 0, 0, 0], counts.Read(Counted.Failed, 4, 1));
        clock.Advance(TimeSpan.FromMinutes(MinuteCounts.Most - 3));
        Assert.Equal(4, counts.Read(Counted.Accepted, 60, 168).Sum());
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, counts.Read(Counted.Accepted, 60, 168).Sum());
        clock.Advance(TimeSpan.FromDays(400));
        Assert.Equal(0, counts.Read(Counted.Accepted, 60, 168).Sum());
    }

    [Fact]
    public void What_is_counted_and_not_written_counts_too()
    {
        var counts = new MinuteCounts(clock);
        counts.OfferRepeat(new AuditCause(AuditKind.Auth, System.Net.IPAddress.Loopback, null, "failed"), null);
        counts.OfferRepeat(new AuditCause(AuditKind.Policy, System.Net.IPAddress.Loopback, null, "recipient"), null);
        Assert.Equal([1], counts.Read(Counted.LoginFailed, 1, 60));
        Assert.Equal([1], counts.Read(Counted.Refused, 1, 60));
    }

    private static AcceptedEvent Mail() =>
        new(EventLog.Noon, new EventOrigin("s", "l", "192.0.2.7"), "Q", "a@example.org", ["b@example.net"], 1);
}
