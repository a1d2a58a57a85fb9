using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Delivery;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>Connections over a limit: each is told within the budget of strangers, the limit itself once in a quarter of an hour.</summary>
public sealed class TurnedAwayEventsTests
{
    private readonly RecordingAudit log = new();
    private readonly ManualClock clock = new(DateTimeOffset.UnixEpoch);

    [Theory]
    [InlineData(TurnAwayCause.TooMany, "192.0.2.7", "192.0.2.8", "connections all")]
    [InlineData(TurnAwayCause.TooManyFromAddress, "192.0.2.7", "192.0.2.7", "connections_per_address 192.0.2.7")]
    [InlineData(TurnAwayCause.TooManyFromAddress, "2001:db8::1", "2001:db8::2", "connections_per_address 2001:db8::/64")]
    public void A_limit_of_connections_is_told_once_in_a_quarter_of_an_hour(TurnAwayCause cause, string first, string second, string told)
    {
        var events = new RelayEvents(log, clock);
        for (var i = 0; i < 10; i++)
            events.OnTurnedAway("submission", IPAddress.Parse(i % 2 == 0 ? first : second), cause, "too many");

        var limit = Assert.Single(log.Events.OfType<LimitEvent>());
        Assert.Equal((told, LimitState.Exceeded, "submission", first), ($"{limit.Limit} {limit.Whose}", limit.State, limit.Listener, limit.Client));
        Assert.True(limit.Cause is { IsStranger: true });
        Assert.Equal(10, log.Events.OfType<ServerEvent>().Count(static e => e.Event == "turned_away"));

        clock.Advance(TimeSpan.FromMinutes(15));
        events.OnTurnedAway("submission", IPAddress.Parse(second), cause, "too many");
        Assert.Equal(2, log.Events.OfType<LimitEvent>().Count());
    }

    [Fact]
    public void A_client_that_a_listener_is_not_for_has_come_to_no_limit()
    {
        new RelayEvents(log, clock).OnTurnedAway("devices", IPAddress.Loopback, TurnAwayCause.NotAllowed, "not in the listener's clients");
        Assert.IsType<ServerEvent>(Assert.Single(log.Events));
    }
}
