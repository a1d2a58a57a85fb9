using System.Diagnostics.Metrics;
using Postern.Relay.Audit.Events;
using Postern.Web.Tests.Metrics;

[assembly: AssemblyFixture(typeof(MeasuredThings))]

namespace Postern.Web.Tests.Metrics;

/// <summary>One server that has done a little of everything, and what it says of that. Started once for the tests that only read.</summary>
public sealed class MeasuredThings : IAsyncLifetime
{
    private MeasuredRelay? server;

    /// <summary>What /metrics says.</summary>
    internal IReadOnlyList<Series> Series { get; private set; } = [];

    /// <summary>The instruments of the server.</summary>
    internal IReadOnlyList<Instrument> Instruments { get; private set; } = [];

    internal MeasuredRelay Server => server!;

    /// <summary>The names under which Prometheus has an instrument, and its kind.</summary>
    internal static IEnumerable<string> NamesOf(Instrument instrument)
    {
        var kind = KindOf(instrument);
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => string.Empty };
        var name = instrument.Name.Replace('.', '_');
        if (!name.EndsWith(unit, StringComparison.Ordinal))
            name += unit;
        return kind switch
        {
            "counter" => [$"{name}_total"],
            "histogram" => [$"{name}_bucket", $"{name}_sum", $"{name}_count"],
            _ => [name],
        };
    }

    internal static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" or "ObservableCounter" => "counter",
        "Histogram" => "histogram",
        _ => "gauge",
    };

    public async ValueTask InitializeAsync()
    {
        server = await MeasuredRelay.StartAsync();
        using var listening = new MeterListener();
        var found = new List<Instrument>();
        listening.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Scope == server.Relay.Meters)
                found.Add(instrument);
        };
        listening.Start();
        Instruments = [.. found.OrderBy(static instrument => instrument.Name, StringComparer.Ordinal)];

        await server.SendAsync("bob@taken.example", "bob@closed.example", "bob@unknown.example");
        await using (var client = await server.ConnectAsync())
        {
            await client.SayAsync($"AUTH PLAIN {Testing.SmtpDialogue.Plain("nobody", "wrong")}", "535");
            await client.SayAsync("QUIT", "221");
        }

        // What takes days or an attack to happen by itself is told by hand.
        var now = TimeProvider.System.GetUtcNow();
        var origin = new EventOrigin("s", "submission", "192.0.2.1");
        server.Relay.Audit.Append(
            new DecisionEvent(now, origin, "K7M3Q9", "recipient", DecisionOutcome.Refuse, "reject_unauth_destination", "a@example.org", "b@example.net"));
        server.Relay.Audit.Append(new LimitEvent(now, "login_messages", LimitState.Exceeded, "lisa"));
        server.Relay.Audit.Append(new BounceEvent(now, "01ARZ3NDEKTSV4RRFFQ69G5FAV", BounceId: null, "a@example.org", "suppressed: x"));
        server.Relay.Audit.Append(
            new DeliveryEvent(now, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "b@example.net", DeliveryOutcome.Failed, 1, "550 no")
            {
                Code = 550,
                Phase = "rcpt",
                Route = "example.net login robot|lisa",
                DurationMs = 12,
                Category = "bad_mailbox",
            });
        await server.Relay.Audit.FlushAsync(TestContext.Current.CancellationToken);
        Series = await server.ScrapeUntilAsync(static all =>
            all.Any(static one => one is { Name: "postern_delivery_failures_total" })
            && all.Any(static one => one is { Name: "postern_auth_attempts_total" })
            && all.Any(static one => one is { Name: "postern_smtp_session_duration_seconds_count", Value: >= 2 })
            && all.Any(static one => one is { Name: "postern_load_pressure" }));
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
    }
}
