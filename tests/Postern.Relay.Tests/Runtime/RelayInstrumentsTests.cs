using System.Diagnostics.Metrics;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Runtime.Instruments;

namespace Postern.Relay.Tests.Runtime;

public sealed class RelayInstrumentsTests
{
    private static readonly EventOrigin Origin = new("s", "submission", "192.0.2.1") { User = "lisa", Tenant = "acme" };

    private static readonly AuditEvent[] Events =
    [
        new AcceptedEvent(default, Origin, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "a@example.org", ["b@example.net"], 1) { Source = MessageSource.Smtp },
        new RefusedEvent(default, Origin, "DATA", "552 too big"),
        new DecisionEvent(default, Origin, "K7M3Q9", "recipient", DecisionOutcome.Refuse, "reject", "a@example.org", "b@example.net"),
        new LoginEvent(default, Origin, "PLAIN", AuthOutcome.Failed, "wrong password"),
        new DeliveryEvent(default, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "b@example.net", DeliveryOutcome.Failed, 1, "550 no") { Route = "* login robot", DurationMs = 1 },
        new BounceEvent(default, "01ARZ3NDEKTSV4RRFFQ69G5FAV", BounceId: null, "a@example.org", "x"),
        new LimitEvent(default, "login_messages", LimitState.Exceeded, "lisa"),
    ];

    /// <summary>Each message brings some events: what nobody wants to know must cost nothing.</summary>
    [Fact]
    public void Where_nobody_listens_nothing_is_made()
    {
        using var meters = new RelayMeters();
        var instruments = new RelayInstruments(meters);
        instruments.Mail.CountsTenants = true;
        Offer();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Offer();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Offer()
        {
            foreach (var audit in Events)
                instruments.Offer(audit);
        }
    }

    [Fact]
    public void Nothing_that_a_client_said_is_a_label()
    {
        using var meters = new RelayMeters();
        var instruments = new RelayInstruments(meters);
        var labels = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == meters)
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => labels.AddRange(tags.ToArray().Select(static tag => $"{tag.Value}")));
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => labels.AddRange(tags.ToArray().Select(static tag => $"{tag.Value}")));
        listener.Start();
        foreach (var audit in Events)
            instruments.Offer(audit);

        Assert.Equal(
            ["*", "PLAIN", "content", "exceeded", "failed", "login_messages", "none", "other", "recipient", "refuse", "reject", "smtp", "submission", "suppressed"],
            labels.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    /// <summary>Repeats of a flood are told by count alone, and counted all the same.</summary>
    [Fact]
    public void What_is_only_counted_in_the_log_counts_here_too()
    {
        using var meters = new RelayMeters();
        var instruments = new RelayInstruments(meters);
        var counted = new Dictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == meters)
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => counted[instrument.Name] = counted.GetValueOrDefault(instrument.Name) + value);
        listener.Start();
        instruments.OfferRepeat(new AuditCause(AuditKind.Policy, System.Net.IPAddress.Loopback, Login: null, "recipient", "reject", 550), audit: null);
        instruments.OfferRepeat(new AuditCause(AuditKind.Policy, System.Net.IPAddress.Loopback, Login: null, "recipient", "permit"), audit: null);

        Assert.Equal(2, counted["postern.policy.decisions"]);
        Assert.Equal(1, counted["postern.messages.refused"]);
    }

    [Theory]
    [InlineData(null, "mx")]
    [InlineData("*", "*")]
    [InlineData(".example.net from @sales.example.org login robot|lisa", ".example.net")]
    public void A_route_is_counted_under_what_it_is_to(string? route, string label)
    {
        using var meter = new Meter("test");
        Assert.Equal(label, new DeliveryInstruments(meter, meter).LabelOf(route));
    }
}
