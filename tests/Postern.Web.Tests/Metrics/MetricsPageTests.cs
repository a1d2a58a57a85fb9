using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Web.Tests.Metrics;

/// <summary>
/// docs/metrics.md, docs/alerts.md, the alerts and the board against what a server really says. POSTERN_WRITE_DOCS=1 writes the table anew.
/// </summary>
public sealed partial class MetricsPageTests(MeasuredThings measured)
{
    private const string Rules = "contrib/prometheus/postern.rules.yaml";
    private const string Board = "contrib/grafana/postern.json";
    private const string Begin = "<!-- instruments -->\n";
    private const string End = "<!-- end of instruments -->\n";

    /// <summary>Those that need another server's answer, or a misfortune, to be seen.</summary>
    private static readonly Dictionary<string, string> UnseenLabels = new(StringComparer.Ordinal)
    {
        ["postern.auth.duration"] = "store",
        ["postern.delivery.connections"] = "route",
    };

    /// <summary>What Prometheus itself makes of a scrape.</summary>
    private static readonly string[] OfPrometheus = ["up", "ALERTS"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_instrument_is_on_the_page_as_it_is()
    {
        var path = SourceTree.PathOf("docs/metrics.md");
        var page = await File.ReadAllTextAsync(path, Ct);
        var (begin, end) = (page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, page.IndexOf(End, StringComparison.Ordinal));
        var table = "| instrument | kind | unit | labels | what it is |\n|---|---|---|---|---|\n"
            + string.Concat(measured.Instruments.Select(one => $"| `{one.Name}` | {MeasuredThings.KindOf(one)} | {UnitOf(one)} | {LabelsOf(one)} | {one.Description} |\n"));
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") is { Length: > 0 })
            await File.WriteAllTextAsync(path, page = page[..begin] + table + page[end..], Ct);
        Assert.Contains(Begin + table + End, page, StringComparison.Ordinal);
        Assert.All(measured.Instruments, static one => Assert.False(string.IsNullOrEmpty(one.Description), one.Name));
    }

    [Fact]
    public async Task Every_alert_has_a_page_and_asks_for_series_that_there_are()
    {
        var rules = await File.ReadAllTextAsync(SourceTree.PathOf(Rules), Ct);
        var runbook = await File.ReadAllTextAsync(SourceTree.PathOf("docs/alerts.md"), Ct);
        var alerts = Alert().Matches(rules).Select(static match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.Equal(15, alerts.Count);
        Assert.Equal(alerts, Heading().Matches(runbook).Select(static match => match.Groups["name"].Value));
        foreach (var alert in alerts)
            Assert.Contains($"runbook_url: docs/alerts.md#{alert.ToLowerInvariant()}\n", rules, StringComparison.Ordinal);
        AssertKnown(rules);
    }

    [Fact]
    public async Task Every_panel_of_the_board_says_what_it_is_and_asks_for_series_that_there_are()
    {
        var text = await File.ReadAllTextAsync(SourceTree.PathOf(Board), Ct);
        using var board = JsonDocument.Parse(text);
        var panels = board.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(static panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        foreach (var panel in panels.Where(static panel => panel.GetProperty("type").GetString() != "row"))
        {
            Assert.NotEqual(string.Empty, panel.GetProperty("description").GetString());
            foreach (var target in panel.GetProperty("targets").EnumerateArray())
                AssertKnown(target.GetProperty("expr").GetString()!);
        }

        var variables = board.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray().Select(static one => one.GetProperty("name").GetString());
        Assert.Equal(["datasource", "instance", "listener", "route"], variables);
    }

    [Fact]
    public async Task Prometheus_takes_the_alerts_and_each_fires_and_ends_as_its_test_says()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "promtool is not installed");
        var directory = Path.GetDirectoryName(SourceTree.PathOf(Rules))!;
        var checkedRules = await RunningProgram.RunAsync(["/usr/bin/promtool", "check", "rules", "postern.rules.yaml"], directory);
        Assert.True(checkedRules.ExitCode == 0, checkedRules.Output + checkedRules.Error);
        var tested = await RunningProgram.RunAsync(["/usr/bin/promtool", "test", "rules", "postern.rules.test.yaml"], directory);
        Assert.True(tested.ExitCode == 0, tested.Output + tested.Error);
        var tests = await File.ReadAllTextAsync(Path.Combine(directory, "postern.rules.test.yaml"), Ct);
        var rules = await File.ReadAllTextAsync(SourceTree.PathOf(Rules), Ct);
        Assert.All(
            Alert().Matches(rules).Select(static match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal),
            alert => Assert.Contains($"alertname: {alert}\n", tests, StringComparison.Ordinal));
    }

    /// <summary>Every name that looks like one of a series is one that the server has, or could have.</summary>
    private void AssertKnown(string text)
    {
        var known = measured.Instruments.SelectMany(MeasuredThings.NamesOf)
            .Concat(measured.Series.Select(static one => one.Name)).Concat(OfPrometheus).ToHashSet(StringComparer.Ordinal);
        Assert.Equal([], SeriesName().Matches(text).Select(static match => match.Value).Where(name => !known.Contains(name)).Distinct(StringComparer.Ordinal));
    }

    private string LabelsOf(Instrument instrument)
    {
        var names = MeasuredThings.NamesOf(instrument).ToHashSet(StringComparer.Ordinal);
        var labels = measured.Series.Where(one => names.Contains(one.Name)).SelectMany(static one => one.Labels).Select(static label => label.Name)
            .Where(static name => name != "le").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (labels.Count == 0 && UnseenLabels.TryGetValue(instrument.Name, out var unseen))
            labels = [unseen];
        return labels.Count == 0 ? "-" : string.Join(", ", labels);
    }

    private static string UnitOf(Instrument instrument) => instrument.Unit is { Length: > 0 } unit ? unit : "-";

    [GeneratedRegex("- alert: (?<name>[A-Za-z]+)\n", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Alert();

    [GeneratedRegex("\n## (?<name>Postern[A-Za-z]+)\n", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\b(postern|dotnet)_[a-z0-9_]+\b(?!\.rules)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SeriesName();
}
