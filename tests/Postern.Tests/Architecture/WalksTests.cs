using System.Globalization;
using System.Text.RegularExpressions;
using Postern.Testing;

namespace Postern.Tests.Architecture;

/// <summary>The walks of docs/flow.md name files that are there, in few enough steps that one person reads them in an hour.</summary>
public sealed partial class WalksTests
{
    [Theory]
    [InlineData("The walk of one message, file by file", 45)]
    [InlineData("The walk of one refusal, file by file", 20)]
    [InlineData("The walk of one credential", 20)]
    public void A_walk_names_each_file_once_and_is_short(string title, int most)
    {
        var files = FilesOf(title);

        Assert.Equal(files.Distinct(StringComparer.Ordinal), files);
        Assert.InRange(files.Count, 10, most);
    }

    [Theory]
    [InlineData("The walk of one message, file by file")]
    [InlineData("The walk of one refusal, file by file")]
    [InlineData("The walk of one credential")]
    public void Every_file_of_a_walk_is_there(string title) => Assert.All(FilesOf(title), static file => Assert.True(File.Exists(file), file));

    [Theory]
    [InlineData("The walk of one message, file by file")]
    [InlineData("The walk of one refusal, file by file")]
    public void The_steps_are_numbered_without_a_gap(string title)
    {
        var steps = Section(title).Split('\n').Select(static line => Step.Match(line)).Where(static m => m.Success);
        var numbers = steps.Select(static m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();

        Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);
    }

    /// <summary>What stands in backticks and is a path below src, in the order of the page.</summary>
    private static List<string> FilesOf(string title) =>
    [
        .. Section(title).Split('\n').Where(static line => Step.IsMatch(line) || line.StartsWith('|'))
            .SelectMany(static line => Path.Matches(line.Split("over a network also")[0])).Select(static m => FileOf(m.Groups[1].Value)),
    ];

    private static string FileOf(string path) => SourceTree.PathOf(path.Split('/')[0] switch
    {
        "Sasl" or "Smtp" or "Relay" => $"src/Postern.{path}.cs",
        "Postern" => $"src/{path}.cs",
        // Beside the one before it in the table: a folder of the accounts.
        "Accounts" => $"src/Postern.Relay/{path}.cs",
        _ => $"src/Postern.Relay/Accounts/{path}.cs",
    });

    private static string Section(string title)
    {
        var page = File.ReadAllText(SourceTree.PathOf("docs/flow.md"));
        var begin = page.IndexOf($"**{title}**", StringComparison.Ordinal);
        Assert.True(begin >= 0, title);
        var end = page.IndexOf("\n**", begin, StringComparison.Ordinal);
        return end < 0 ? page[begin..] : page[begin..end];
    }

    [GeneratedRegex(@"^(\d+)\. ", RegexOptions.NonBacktracking)]
    private static partial Regex Step { get; }

    [GeneratedRegex("`((?:[A-Z][A-Za-z]+/)+[A-Z][A-Za-z]+)`", RegexOptions.NonBacktracking)]
    private static partial Regex Path { get; }
}
