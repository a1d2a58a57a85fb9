using System.Globalization;
using System.Text.RegularExpressions;

namespace Postern.Web.Tests.Metrics;

/// <summary>One line of what Prometheus reads.</summary>
internal sealed partial record Series(string Name, IReadOnlyList<(string Name, string Value)> Labels, double Value)
{
    /// <summary>The names of the labels but for those of the buckets of a histogram.</summary>
    public string Shape
    {
        get
        {
            var labels = Labels.Select(static label => label.Name).Where(static name => name != "le").Order(StringComparer.Ordinal).ToList();
            return labels.Count == 0 ? Name : $"{Name}{{{string.Join(',', labels)}}}";
        }
    }

    public string? Of(string label) => Labels.Where(one => one.Name == label).Select(static one => one.Value).FirstOrDefault();

    public static IReadOnlyList<Series> Read(string exposition) =>
    [
        .. exposition.Split('\n').Where(static line => line.Length > 0 && !line.StartsWith('#')).Select(static line =>
        {
            var match = Line().Match(line);
            Assert.True(match.Success, line);
            return new Series(
                match.Groups["name"].Value,
                [.. Label().Matches(match.Groups["labels"].Value).Select(static label => (label.Groups["name"].Value, label.Groups["value"].Value))],
                double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture));
        }),
    ];

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>.*)\})? (?<value>[^ ]+)( \d+)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Line();

    [GeneratedRegex("""(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>([^"\\]|\\.)*)"(,|$)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Label();
}
