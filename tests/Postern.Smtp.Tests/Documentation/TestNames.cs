using System.Text.RegularExpressions;
using Postern.Testing;

namespace Postern.Smtp.Tests.Documentation;

/// <summary>Every test there is, of all projects, by its source: what a page may name.</summary>
internal static partial class TestNames
{
    private static readonly string[] Sources =
        [.. Directory.EnumerateFiles(SourceTree.PathOf("tests"), "*.cs", SearchOption.AllDirectories)
            .Where(static f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.EndsWith("HostileInputTests.cs", StringComparison.Ordinal)).Select(File.ReadAllText)];

    private static readonly string[] Transcripts = [.. Directory.EnumerateFiles(SourceTree.PathOf("tests/Postern.Smtp.Tests/Transcripts"), "*.smtp")];

    /// <summary>The names between backticks in one cell of a table.</summary>
    public static IEnumerable<string> In(string cell) => Quoted.Matches(cell).Select(static m => m.Groups[1].Value);

    /// <summary><c>name.smtp</c>, <c>Class</c> or <c>Class.Method</c>.</summary>
    public static bool Exists(string name)
    {
        if (name.EndsWith(".smtp", StringComparison.Ordinal))
            return Transcripts.Any(file => Path.GetFileName(file) == name);
        var parts = name.Split('.');
        return Sources.Any(text => text.Contains($"class {parts[0]}\n") || text.Contains($"class {parts[0]} ") || text.Contains($"class {parts[0]}("))
            && (parts.Length == 1 || Sources.Any(text => text.Contains($"class {parts[0]}") && text.Contains($" {parts[1]}(")));
    }

    /// <summary>Whether a test or a transcript says that it is about this row of hostile input: <c>Row_13_…</c>, <c>row 13</c>.</summary>
    public static bool HasRow(int row)
    {
        var mark = new Regex($@"\b[Rr]ow[_ ]{row}(_|\b)", RegexOptions.NonBacktracking);
        return Sources.Any(mark.IsMatch) || Transcripts.Any(file => mark.IsMatch(File.ReadAllText(file)));
    }

    [GeneratedRegex("`([^`]+)`", RegexOptions.NonBacktracking)]
    private static partial Regex Quoted { get; }
}
