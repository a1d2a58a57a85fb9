using System.Text.RegularExpressions;
using Postern.Testing;

namespace Postern.Smtp.Tests.Documentation;

/// <summary>docs/where-the-next-thing-goes.md: what holds a seam is there, and compiled.</summary>
public sealed partial class NextThingTests
{
    private static readonly string[][] Rows =
    [
        .. File.ReadLines(SourceTree.PathOf("docs/where-the-next-thing-goes.md")).Where(static line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)
            .Select(static line => line.Trim('|', ' ').Split(" | ")),
    ];

    [Fact]
    public void Each_row_says_file_line_what_is_beyond_and_what_holds_it() =>
        Assert.All(Rows, static row => Assert.True(row.Length == 5 && row.All(static cell => cell.Length > 0), row[0]));

    [Fact]
    public void Every_test_that_holds_a_seam_is_there() =>
        Assert.All(Rows.SelectMany(static row => TestClass.Matches(row[4])), static named => Assert.True(TestNames.Exists(named.Value), named.Value));

    [Fact]
    public void Every_row_is_held_by_a_test_or_a_guide() =>
        Assert.All(Rows, static row => Assert.True(TestClass.IsMatch(row[4]) || row[4].Contains(".md)", StringComparison.Ordinal), row[0]));

    [GeneratedRegex(@"\b[A-Z]\w+(?:Tests|Contract)\b", RegexOptions.NonBacktracking)]
    private static partial Regex TestClass { get; }
}
