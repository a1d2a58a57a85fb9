using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Web.Tests.Metrics;

/// <summary>What /metrics says, by name and label. POSTERN_WRITE_DOCS=1 writes the file anew.</summary>
public sealed class ExpositionTests(MeasuredThings measured)
{
    private const string Golden = "tests/Postern.Web.Tests/Metrics/metrics.golden";

    private static bool IsWriting => Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") is { Length: > 0 };

    [Fact]
    public async Task Names_and_labels_are_those_that_boards_and_rules_rely_on()
    {
        // Connections come and go.
        var said = string.Concat(measured.Series.Select(static one => one.Shape)
            .Where(static shape => shape.StartsWith("postern_", StringComparison.Ordinal) && !shape.StartsWith("postern_delivery_connections", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(static shape => $"{shape}\n"));
        if (IsWriting)
            await File.WriteAllTextAsync(SourceTree.PathOf(Golden), said, TestContext.Current.CancellationToken);
        Assert.Equal(await File.ReadAllTextAsync(SourceTree.PathOf(Golden), TestContext.Current.CancellationToken), said);
    }

    /// <summary>The exporter has been a beta for years: how it makes names of instruments is held here.</summary>
    [Fact]
    public void Each_name_is_made_of_an_instrument_as_it_was_expected()
    {
        var expected = measured.Instruments.SelectMany(MeasuredThings.NamesOf).ToHashSet(StringComparer.Ordinal);
        Assert.Equal([], measured.Series.Select(static one => one.Name)
            .Where(name => name.StartsWith("postern_", StringComparison.Ordinal) && !expected.Contains(name)).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void The_runtime_is_told_of_too() => Assert.Contains(measured.Series, static one => one.Name.StartsWith("dotnet_gc_", StringComparison.Ordinal));

    [Fact]
    public void A_route_with_logins_is_counted_under_what_it_is_to()
    {
        var failed = Assert.Single(measured.Series, static one => one.Name == "postern_delivery_attempts_total" && one.Of("outcome") == "failed");
        Assert.Equal(("example.net", "5xx"), (failed.Of("route"), failed.Of("class")));
        Assert.Contains(measured.Series, static one => one.Name == "postern_delivery_attempts_total" && one.Of("route") == "mx" && one.Of("class") == "dns");
        Assert.Contains(measured.Series, static one => one.Name == "postern_delivery_attempts_total" && one.Of("route") == "closed.example" && one.Of("class") == "connect");
    }

    [Fact]
    public void Histograms_have_the_buckets_that_suit_them()
    {
        var bounds = measured.Series.Where(static one => one.Name == "postern_accept_duration_seconds_bucket").Select(static one => one.Of("le")).ToList();
        Assert.Contains("0.001", bounds);
        Assert.Contains("10", bounds);
        Assert.DoesNotContain("10000", bounds);
    }

    [Fact]
    public void A_message_is_counted_at_each_step()
    {
        Assert.Equal(3, Sum("postern_messages_accepted_total"));
        Assert.Equal(3, Sum("postern_accept_duration_seconds_count"));
        Assert.Equal(3, Sum("postern_spool_commit_duration_seconds_count"));
        Assert.Equal(3, Sum("postern_messages_size_bytes_count"));
        Assert.Equal(1, Sum("postern_tls_handshakes_total", ("direction", "in"), ("outcome", "ok")));
        Assert.Equal(3, Sum("postern_smtp_commands_total", ("verb", "DATA"), ("class", "2xx")));
        Assert.Equal(3, Sum("postern_smtp_commands_total", ("verb", "DATA"), ("class", "3xx")));
        Assert.Equal(1, Sum("postern_smtp_commands_total", ("verb", "AUTH"), ("class", "5xx")));
        Assert.Equal(2, Sum("postern_smtp_connections_total", ("outcome", "accepted")));
        Assert.Equal(1, Sum("postern_auth_attempts_total", ("mechanism", "PLAIN"), ("outcome", "failed")));
        Assert.Equal(2, Sum("postern_queue_messages"));
        Assert.Equal(1, Sum("postern_ready"));
    }

    [Fact]
    public async Task Two_servers_in_one_process_do_not_mix()
    {
        await using var other = await MeasuredRelay.StartAsync();
        await other.SendAsync("eve@taken.example");
        var series = await other.ScrapeUntilAsync(static all => all.Any(static one => one.Name == "postern_messages_accepted_total"));
        Assert.Equal(1, series.Where(static one => one.Name == "postern_messages_accepted_total").Sum(static one => one.Value));
    }

    /// <summary>
    /// Whatever strangers send, and however many names they think of. Names of listeners and rules are the configuration's: with thousands of them
    /// the bound of each instrument still holds.
    /// </summary>
    [Fact]
    public async Task A_hundred_thousand_random_names_are_fewer_than_three_thousand_series()
    {
        await using var server = await MeasuredRelay.StartAsync(tenants: true);
        var now = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < 20_000; i++)
        {
            var name = $"name{i}x";
            var origin = new EventOrigin(name, "submission", $"10.{i >> 8 & 255}.{i & 255}.1") { User = name, Helo = name, Tenant = name };
            var audit = server.Relay.Audit;
            audit.Append(new LoginEvent(now, origin, name, AuthOutcome.Failed, name));
            audit.Append(new AcceptedEvent(now, origin, name, $"{name}@{name}.example", [$"{name}@{name}.example"], i));
            audit.Append(new DecisionEvent(now, origin with { Listener = name }, name, "recipient", DecisionOutcome.Refuse, name, name, name));
            audit.Append(new DeliveryEvent(now, name, $"{name}@{name}.example", DeliveryOutcome.Failed, 1, name) { Route = $"* login {name}", Remote = name });
            audit.Append(new BounceEvent(now, name, name, name, name));
        }

        var series = await server.ScrapeUntilAsync(static all => all.Any(static one => one.Name == "postern_reports_sent_total"));
        Assert.InRange(series.Count(static one => one.Name.StartsWith("postern_", StringComparison.Ordinal)), 100, 3_000);
        Assert.Contains(series, static one => one.Of("otel_metric_overflow") == "true");
        var labels = series.Where(static one => one.Name is not ("postern_policy_decisions_total" or "postern_messages_refused_total"))
            .SelectMany(static one => one.Labels.Where(static label => label.Name != "tenant")).Select(static label => label.Value);
        Assert.DoesNotContain(labels, static value => value.Contains("name1", StringComparison.Ordinal));
        Assert.InRange(series.Where(static one => one.Name == "postern_messages_recipients_total").Select(static one => one.Of("tenant")).Distinct().Count(), 100, 201);
    }

    private double Sum(string name, params (string Label, string Value)[] labels) =>
        measured.Series.Where(one => one.Name == name && Array.TrueForAll(labels, label => one.Of(label.Label) == label.Value)).Sum(static one => one.Value);
}
