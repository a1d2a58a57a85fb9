using Postern.Relay.Delivery;

namespace Postern.Relay.Tests.Delivery;

public sealed class RetryScheduleTests
{
    private const double Middle = 0.5;
    private static readonly DateTimeOffset Arrival = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(8, 128)]
    [InlineData(9, 240)]
    [InlineData(1000, 240)]
    public void The_pause_doubles_up_to_four_hours(int attempts, int minutes) =>
        Assert.Equal(TimeSpan.FromMinutes(minutes), RetrySchedule.Default.Pause(attempts, Middle));

    [Fact]
    public void Chance_moves_the_pause_by_a_tenth_at_most()
    {
        Assert.Equal(TimeSpan.FromSeconds(54), RetrySchedule.Default.Pause(1, 0));
        Assert.InRange(RetrySchedule.Default.Pause(1, 0.999999).TotalSeconds, 65.9, 66);
    }

    [Fact]
    public void The_last_attempt_falls_on_the_age_of_giving_up_and_none_comes_after_it()
    {
        var end = Arrival + TimeSpan.FromDays(5);
        Assert.Equal(end, RetrySchedule.Default.Next(40, Arrival, end - TimeSpan.FromMinutes(10), Middle));
        Assert.Null(RetrySchedule.Default.Next(41, Arrival, end, Middle));
    }
}
