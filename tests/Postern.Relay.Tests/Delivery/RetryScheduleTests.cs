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

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(20)]
    public void What_is_put_off_together_within_a_pause_comes_again_at_a_few_times(int attempts)
    {
        var pause = RetrySchedule.Default.Pause(attempts, Middle);
        var times = new HashSet<long>();
        for (var i = 0; i < 1000; i++)
        {
            var now = Arrival + (pause * (i / 1000.0));
            var next = RetrySchedule.Default.Next(attempts, Arrival, now, RetrySchedule.Default.Together(attempts, now, phase: -77_777_777))!.Value;
            Assert.InRange((next - now) / pause, 0.8999, 1.1001);
            times.Add((next - Arrival).Ticks / TimeSpan.TicksPerMillisecond / 10);
        }

        Assert.InRange(times.Count, 5, 7);
    }

    [Fact]
    public void Destinations_that_are_away_are_tried_at_different_times()
    {
        var chances = Enumerable.Range(0, 100).Select(static i => RetrySchedule.Default.Together(1, Arrival, i * 42_949_672)).ToList();
        Assert.All(chances, static chance => Assert.InRange(chance, 0, Math.BitDecrement(1)));
        Assert.InRange(chances.Average(), 0.45, 0.55);
    }

    [Fact]
    public void The_last_attempt_falls_on_the_age_of_giving_up_and_none_comes_after_it()
    {
        var end = Arrival + TimeSpan.FromDays(5);
        Assert.Equal(end, RetrySchedule.Default.Next(40, Arrival, end - TimeSpan.FromMinutes(10), Middle));
        Assert.Null(RetrySchedule.Default.Next(41, Arrival, end, Middle));
    }

    [Theory]
    [InlineData(RetryPace.Soon, 3, 30, 4)]
    [InlineData(RetryPace.Soon, 6, 30, 5)]
    [InlineData(RetryPace.Soon, 7, 100, 64)]
    [InlineData(RetryPace.Soon, 14, 61, 61)]
    [InlineData(RetryPace.Late, 1, 1, 60)]
    [InlineData(RetryPace.Late, 8, 200, 128)]
    [InlineData(RetryPace.Usual, 6, 30, 32)]
    public void Greylisting_is_asked_again_soon_for_an_hour_and_a_full_mailbox_late(RetryPace pace, int attempts, int age, int minutes)
    {
        var now = Arrival + TimeSpan.FromMinutes(age);
        Assert.Equal(now + TimeSpan.FromMinutes(minutes), RetrySchedule.Default.Next(attempts, Arrival, now, Middle, pace));
    }

    [Fact]
    public void A_full_mailbox_waits_no_longer_than_the_longest_pause()
    {
        var schedule = RetrySchedule.Default with { Most = TimeSpan.FromMinutes(10) };
        Assert.Equal(Arrival + TimeSpan.FromMinutes(10), schedule.Next(1, Arrival, Arrival, Middle, RetryPace.Late));
    }

    [Fact]
    public void A_bounce_is_given_up_at_an_age_of_its_own_and_never_later_than_mail()
    {
        var now = Arrival + TimeSpan.FromDays(2);
        Assert.Null(RetrySchedule.Default.Next(20, Arrival, now, Middle, isBounce: true));
        Assert.NotNull(RetrySchedule.Default.Next(20, Arrival, now, Middle));
        var hasty = RetrySchedule.Default with { GiveUp = TimeSpan.FromDays(1) };
        Assert.Null(hasty.Next(20, Arrival, Arrival + TimeSpan.FromDays(1), Middle, isBounce: true));
    }

    [Theory]
    [InlineData(450, "4.7.1", RetryPace.Soon)]
    [InlineData(451, "4.2.0", RetryPace.Soon)]
    [InlineData(421, "4.7.1", RetryPace.Usual)]
    [InlineData(452, "4.2.2", RetryPace.Late)]
    [InlineData(450, null, RetryPace.Usual)]
    public void When_to_come_again_is_read_from_code_and_status(int code, string? status, RetryPace pace) =>
        Assert.Equal(pace, new Outcome.Deferred("mx", "come again", Tls: null, status) { Cause = DeliveryCause.Refused, Code = code }.Pace);
}
