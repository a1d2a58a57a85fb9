using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Delivery;

/// <summary>Attempts, what came of them, and what they needed. An attempt is one for one recipient.</summary>
internal sealed class DeliveryInstruments
{
    /// <summary>The label of mail that no route is for: it goes to the mail exchangers of its domain.</summary>
    public const string MailExchangers = "mx";

    private const string None = "none";
    private const int MostRoutes = 1_000;

    private static readonly InstrumentAdvice<double> Attempting = new()
    {
        HistogramBucketBoundaries = [.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300],
    };

    private static readonly InstrumentAdvice<double> Delivering = new()
    {
        HistogramBucketBoundaries = [.05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200, 43_200, 172_800, 432_000],
    };

    private readonly Counter<long> attempts;
    private readonly Histogram<double> durations;
    private readonly Histogram<double> latency;
    private readonly Counter<long> failures;
    private readonly Counter<long> reports;
    private readonly Counter<long> lookups;
    private readonly Counter<long> signatures;
    private readonly Counter<long> handshakes;
    private readonly ConcurrentDictionary<string, string> routes = new(StringComparer.Ordinal);

    /// <param name="server">The meter of the SMTP server, which counts the handshakes of the other direction.</param>
    public DeliveryInstruments(Meter meter, Meter server)
    {
        attempts = meter.CreateCounter<long>("postern.delivery.attempts", "{attempt}", "Attempts to deliver to a recipient.");
        durations = meter.CreateHistogram(
            "postern.delivery.attempt.duration", "s", "How long attempts took, by how far they came.", tags: null, Attempting);
        latency = meter.CreateHistogram(
            "postern.delivery.latency", "s", "From the arrival of a message to the end for a recipient.", tags: null, Delivering);
        failures = meter.CreateCounter<long>("postern.delivery.failures", "{recipient}", "Recipients that were given up, by category.");
        reports = meter.CreateCounter<long>("postern.reports.sent", "{report}", "Reports to senders, and those that were not to be sent.");
        lookups = meter.CreateCounter<long>("postern.dns.lookups", "{question}", "Questions that were asked of resolvers.");
        signatures = meter.CreateCounter<long>("postern.dkim.signatures", "{message}", "Messages that were to be signed (DKIM).");
        handshakes = server.CreateCounter<long>("postern.tls.handshakes", "{handshake}", "TLS handshakes.");
    }

    public void Note(DeliveryEvent attempt)
    {
        var outcome = EventWord.Of(attempt.Outcome);
        if (attempts.Enabled)
            attempts.Add(1, Tag("route", LabelOf(attempt.Route)), Tag("outcome", outcome), Tag("class", ClassOf(attempt)));
        if (durations.Enabled && attempt.DurationMs is { } took)
            durations.Record(took / 1000.0, Tag("route", LabelOf(attempt.Route)), Tag("phase", PhaseOf(attempt)));
        if (attempt.Outcome == DeliveryOutcome.Deferred)
            return;
        if (latency.Enabled && QueueId.TryParse(attempt.QueueId, out var id))
            latency.Record(Math.Max(0, (attempt.At - id.CreatedAt).TotalSeconds), Tag("outcome", outcome));
        if (failures.Enabled && attempt.Outcome == DeliveryOutcome.Failed)
            failures.Add(1, Tag("category", attempt.Category ?? None));
    }

    public void Note(BounceEvent report)
    {
        if (reports.Enabled)
            reports.Add(1, Tag("action", report.BounceId is null ? "suppressed" : "sent"));
    }

    public void LookedUp(DnsType type, DnsStatus status)
    {
        if (lookups.Enabled)
            lookups.Add(
                1,
                Tag("type", TypeOf(type)),
                Tag(
                    "outcome",
                    status switch
                    {
                        DnsStatus.Found => "found",
                        DnsStatus.NoData => "no_data",
                        DnsStatus.NoSuchDomain => "no_such_domain",
                        _ => "unavailable",
                    }));
    }

    /// <summary>Whether anybody wants to know what comes of signing.</summary>
    public bool CountsSignatures => signatures.Enabled;

    /// <summary>Whether anybody wants to know what is asked of resolvers.</summary>
    public bool CountsLookups => lookups.Enabled;

    /// <param name="outcome">signed, unsigned (no key is for it) or failed.</param>
    public void Signed(string outcome)
    {
        if (signatures.Enabled)
            signatures.Add(1, Tag("outcome", outcome));
    }

    /// <param name="version">Null where the handshake failed.</param>
    public void Handshake(string? version)
    {
        if (handshakes.Enabled)
            handshakes.Add(1, Tag("direction", "out"), Tag("version", version ?? None), Tag("outcome", version is null ? "failed" : "ok"));
    }

    /// <summary>The <c>to</c> of a route: its conditions may hold logins and addresses.</summary>
    /// <param name="route">As <see cref="Route.Name"/>; null where no route is for it.</param>
    public string LabelOf(string? route)
    {
        if (route is null)
            return MailExchangers;
        if (routes.TryGetValue(route, out var label))
            return label;
        if (routes.Count >= MostRoutes)
            routes.Clear(); // of configurations that are gone
        return routes[route] = route.IndexOf(' ', StringComparison.Ordinal) is > 0 and var end ? route[..end] : route;
    }

    /// <summary>What the attempt came to: the class of the reply, or where it ended without one.</summary>
    private static string ClassOf(DeliveryEvent attempt) => attempt switch
    {
        { Outcome: DeliveryOutcome.Delivered } => "2xx",
        { Phase: "tls" } => "tls",
        { Phase: "login" } => "login",
        { Code: >= 500 } => "5xx",
        { Code: >= 400 } => "4xx",
        { Phase: "dns" } => "dns",
        { Phase: "connect" } => "connect",
        { Phase: not null } => "timeout",
        _ => None,
    };

    private static string PhaseOf(DeliveryEvent attempt) =>
        attempt.Phase ?? (attempt.Outcome == DeliveryOutcome.Delivered ? "end" : None);

    private static string TypeOf(DnsType type) => type switch
    {
        DnsType.A => "a",
        DnsType.Aaaa => "aaaa",
        DnsType.Mx => "mx",
        DnsType.Txt => "txt",
        DnsType.Ptr => "ptr",
        DnsType.Srv => "srv",
        DnsType.Tlsa => "tlsa",
        _ => "other",
    };

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
