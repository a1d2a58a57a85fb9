using System.Globalization;
using System.Text.RegularExpressions;

namespace Postern.Tests.Process;

/// <summary>One system call of a trace that strace wrote with <c>-f -y</c>.</summary>
/// <param name="Begin">The line at which it began.</param>
/// <param name="End">The line at which it was over.</param>
internal sealed partial record TracedCall(string Name, string Arguments, long Result, int Begin, int End)
{
    /// <summary>The path of its first argument; empty where that is no descriptor.</summary>
    public string File => Arguments.IndexOf('<', StringComparison.Ordinal) is >= 0 and var at ? Arguments[(at + 1)..Arguments.IndexOf('>', StringComparison.Ordinal)] : string.Empty;

    public static IReadOnlyList<TracedCall> Parse(IEnumerable<string> lines)
    {
        var calls = new List<TracedCall>();
        var unfinished = new Dictionary<string, (string Name, string Arguments, int Begin)>(StringComparer.Ordinal);
        foreach (var (number, line) in lines.Index())
        {
            if (Whole().Match(line) is { Success: true } whole)
            {
                calls.Add(new(whole.Groups["name"].Value, whole.Groups["args"].Value, ResultOf(whole), number, number));
            }
            else if (Unfinished().Match(line) is { Success: true } begun)
            {
                unfinished[begun.Groups["thread"].Value] = (begun.Groups["name"].Value, begun.Groups["args"].Value, number);
            }
            else if (Resumed().Match(line) is { Success: true } ended && unfinished.Remove(ended.Groups["thread"].Value, out var first))
            {
                calls.Add(new(first.Name, first.Arguments + ended.Groups["args"].Value, ResultOf(ended), first.Begin, number));
            }
        }

        return calls;
    }

    private static long ResultOf(Match match) => long.TryParse(match.Groups["result"].ValueSpan, CultureInfo.InvariantCulture, out var result) ? result : -1;

    [GeneratedRegex(@"^(?<thread>[0-9]+) +(?<name>[a-z0-9_]+)\((?<args>.*)\) += (?<result>-?[0-9]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Whole();

    [GeneratedRegex(@"^(?<thread>[0-9]+) +(?<name>[a-z0-9_]+)\((?<args>.*) <unfinished \.\.\.>$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^(?<thread>[0-9]+) +<\.\.\. [a-z0-9_]+ resumed>(?<args>.*)\) += (?<result>-?[0-9]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Resumed();
}
