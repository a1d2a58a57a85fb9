using System.Text.RegularExpressions;
using Postern.Testing;

namespace Postern.Tests.Architecture;

/// <summary>The shape of the sources, so that a concept is found by guessing its file.</summary>
public sealed partial class ShapeTests
{
    private const int MostFilesOfAFolder = 30;
    private const int MostFilesOfAClass = 2;
    private const int MostColumns = 140;

    private static readonly string[] Sources =
    [
        .. Directory.EnumerateFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)),
    ];

    [Fact]
    public void No_folder_holds_more_files_than_a_reader_takes_in() =>
        Assert.Empty(Sources.GroupBy(static file => Path.GetDirectoryName(file)).Where(static folder => folder.Count() > MostFilesOfAFolder).Select(static folder => folder.Key));

    [Fact]
    public void No_class_is_split_over_more_than_two_files()
    {
        var parts =
            from file in Sources
            let text = File.ReadAllText(file)
            let place = Namespace.Match(text).Groups[1].Value
            from name in Partial.Matches(text).Select(static m => m.Groups[1].Value).Distinct(StringComparer.Ordinal)
            group file by $"{place}.{name}";

        Assert.Empty(parts.Where(static part => part.Count() > MostFilesOfAClass).Select(static part => part.Key));
    }

    [Fact]
    public void No_line_is_longer_than_a_window_is_wide()
    {
        var wrong =
            from file in Sources
            from line in File.ReadLines(file).Select(static (text, i) => (Text: text, Number: i + 1))
            where line.Text.Length > MostColumns
            select $"{Path.GetRelativePath(SourceTree.Root, file)}:{line.Number} has {line.Text.Length} columns";

        Assert.Empty(wrong);
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Namespace { get; }

    [GeneratedRegex(@"^(?:[a-z]+ )*partial (?:class|record|struct|record struct|interface) (\w+)", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Partial { get; }
}
