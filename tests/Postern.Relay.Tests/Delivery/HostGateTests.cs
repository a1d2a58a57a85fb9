using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>How many connections a host may have, as it answers.</summary>
public sealed class HostGateTests
{
    private readonly ManualClock clock = new();

    private static NextHop Hop(int i) => new NextHop.MailExchanger(Domain.Parse($"d{i}.test"));

    private HostGate Gate(int most = 20)
    {
        var gate = new HostGate("mx.test:25", clock);
        gate.Allow(most, isChosen: false);
        return gate;
    }

    private static HostPlace Enter(HostGate gate, int hop)
    {
        Assert.True(gate.MayEnter(gate.HasInvited(Hop(hop))));
        var place = new HostPlace(new HostPlaces(new ManualClock()), [gate], Hop(hop));
        gate.Enter(place);
        return place;
    }

    private static int Fill(HostGate gate)
    {
        var count = gate.Places.Count;
        while (gate.MayEnter(gate.HasInvited(Hop(count))))
            Enter(gate, count++);
        return count;
    }

    [Fact]
    public void A_host_of_strangers_begins_with_five_connections_and_has_more_as_messages_arrive()
    {
        var gate = Gate();
        Assert.Equal(5, Fill(gate));
        for (var i = 0; i < 6; i++)
            gate.Succeed();
        Assert.Equal(6, Fill(gate));
        for (var i = 0; i < 300; i++)
            gate.Succeed();
        Assert.Equal(20, Fill(gate));
        Assert.True(gate.IsOpen);
    }

    [Fact]
    public void A_host_that_the_operator_named_begins_with_its_limit()
    {
        var gate = new HostGate("relay.test:25", clock);
        gate.Allow(20, isChosen: true);
        Assert.Equal(20, Fill(gate));
    }

    [Fact]
    public void A_connection_that_cannot_be_made_leaves_no_more_than_there_were_without_it()
    {
        var gate = Gate();
        for (var i = 0; i < 300; i++)
            gate.Succeed();
        for (var i = 0; i < 8; i++)
            Enter(gate, i);
        gate.Fail();
        gate.Leave(gate.Places[7]);
        Assert.Equal(7, Fill(gate));
    }

    /// <summary>The one connection that it has may hang for as long as RFC 5321 §4.5.3.2 lets it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_host_that_said_that_it_is_too_much_has_one_more_each_minute_although_nothing_arrives(int times)
    {
        var gate = Gate();
        for (var i = 0; i < times; i++)
            gate.Throttle("421 4.3.2 Later");
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, Fill(gate));
        gate.Wait(Hop(9), static () => true);
        Assert.Null(gate.Invite());
        // Whoever waits is called then, without anybody leaving: after the pause it is looked at once more.
        NextHop? called = null;
        for (var looks = 0; looks < 2 && called is null; looks++)
        {
            clock.Advance(clock.GetElapsedTime(clock.GetTimestamp(), gate.LooksAgainAt() ?? throw new InvalidOperationException("nobody looks again")));
            called = gate.Invite()?.Hop;
        }

        Assert.Equal(Hop(9), called);
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(5, gate.Window);
    }

    [Fact]
    public void A_host_that_says_twice_that_it_is_too_much_has_one_connection_a_second_and_longer_pauses_each_time_it_says_so()
    {
        var gate = Gate();
        var first = Enter(gate, 0);
        Assert.False(gate.Throttle("421 4.7.0 Later"));
        gate.Leave(first);
        // Once may have been this connection alone.
        var second = Enter(gate, 0);
        Assert.True(gate.Throttle("421 4.7.0 Later"));
        gate.Leave(second);
        foreach (var pause in (int[])[1, 2, 4, 8])
        {
            clock.Advance(TimeSpan.FromSeconds(pause - 0.1));
            Assert.False(gate.MayEnter(gate.HasInvited(Hop(0))));
            clock.Advance(TimeSpan.FromSeconds(0.1));
            var next = Enter(gate, 0);
            Assert.False(gate.MayEnter(gate.HasInvited(Hop(1))));
            Assert.False(gate.Throttle("421 4.7.0 Later"));
            gate.Leave(next);
        }

        Assert.True(gate.IsHopeless);
        Assert.Contains("421 4.7.0 Later", gate.WhyNot, StringComparison.Ordinal);
    }

    [Fact]
    public void After_how_many_such_answers_and_for_how_long_nothing_is_tried_is_for_the_operator_to_say()
    {
        var gate = Gate();
        gate.Suspend(after: 3, TimeSpan.FromHours(1));
        gate.Throttle("421 4.7.0 Later");
        gate.Throttle("421 4.7.0 Later");
        Assert.False(gate.IsHopeless);
        clock.Advance(TimeSpan.FromSeconds(1));
        gate.Throttle("421 4.7.0 Later");
        Assert.True(gate.IsHopeless);
        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.False(gate.MayEnter(isInvited: false));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(gate.MayEnter(isInvited: false));
        Assert.True(gate.IsSlow);
    }

    [Fact]
    public void A_slow_host_that_takes_messages_again_has_one_connection_a_second_and_after_a_minute_more()
    {
        var gate = Gate();
        gate.Throttle("450 4.7.0 Later");
        gate.Throttle("450 4.7.0 Later");
        clock.Advance(TimeSpan.FromSeconds(1));
        var place = Enter(gate, 0);
        gate.Succeed();
        gate.Leave(place);
        Assert.False(gate.MayEnter(gate.HasInvited(Hop(0))));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Fill(gate));

        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(gate.IsSlow);
        gate.Succeed();
        Assert.Equal(2, Fill(gate));
    }

    [Fact]
    public void Those_who_wait_come_in_their_order_and_before_all_others()
    {
        var gate = Gate(most: 1);
        var place = Enter(gate, 0);
        gate.Wait(Hop(1), static () => true);
        gate.Wait(Hop(2), static () => true);
        gate.Wait(Hop(1), static () => true);
        Assert.Null(gate.Invite());

        gate.Leave(place);
        Assert.False(gate.MayEnter(gate.HasInvited(Hop(0))));
        Assert.Equal(Hop(1), gate.Invite()!.Value.Hop);
        Assert.Null(gate.Invite());
        Assert.False(gate.MayEnter(gate.HasInvited(Hop(2))));
        gate.Leave(Enter(gate, 1));
        Assert.Equal(Hop(2), gate.Invite()!.Value.Hop);

        // Who does not come has lost the turn.
        gate.Wait(Hop(3), static () => true);
        Assert.NotNull(gate.LooksAgainAt());
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(Hop(3), gate.Invite()!.Value.Hop);
    }

    [Theory]
    [InlineData("421", null, false, true)]
    [InlineData("421", null, true, false)]
    [InlineData("421", "4.4.2", true, false)]
    [InlineData("421", "4.7.0", true, true)]
    [InlineData("421", "4.7.1", false, true)]
    [InlineData("450", "4.7.0", true, true)]
    [InlineData("451", "4.7.650", true, true)]
    [InlineData("450", "4.7.1", false, false)]
    [InlineData("450", "4.2.0", false, false)]
    [InlineData("452", "4.2.2", false, false)]
    [InlineData("452", "4.3.1", false, true)]
    [InlineData("450", "4.3.2", false, true)]
    [InlineData("452", "4.5.3", false, false)]
    [InlineData("450", null, false, false)]
    public void What_slows_a_host_is_read_from_code_and_status(string code, string? status, bool hasCarried, bool isThrottle)
    {
        var outcome = new Outcome.Deferred("mx", $"{code} rate limited", Tls: null, status)
        {
            Cause = DeliveryCause.Refused,
            Code = int.Parse(code, System.Globalization.CultureInfo.InvariantCulture),
            Phase = DeliveryPhase.Rcpt,
        };
        Assert.Equal(isThrottle, Throttle.Is(outcome, hasCarried));
        Assert.False(Throttle.Is(outcome with { Cause = DeliveryCause.Unreachable }, hasCarried));
    }
}
