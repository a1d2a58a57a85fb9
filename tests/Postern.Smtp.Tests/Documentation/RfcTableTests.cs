using Postern.Testing;

namespace Postern.Smtp.Tests.Documentation;

/// <summary>docs/rfcs.md names what there is, and all of it.</summary>
public sealed class RfcTableTests
{
    private static readonly string[][] Rows =
        [.. File.ReadLines(SourceTree.PathOf("docs/rfcs.md")).Where(static l => l.StartsWith("| ", StringComparison.Ordinal) && l.Contains('`')).Select(static l => l.Split('|'))];

    [Fact]
    public void Every_line_names_a_file_and_a_test_that_exist()
    {
        Assert.NotEmpty(Rows);
        foreach (var row in Rows)
        {
            Assert.True(row.Length == 5, $"not three columns: {string.Join('|', row)}");
            var files = TestNames.In(row[2]).ToList();
            var tests = TestNames.In(row[3]).ToList();
            Assert.True(files.Count > 0 && tests.Count > 0, $"no file or no test:{row[1]}");
            Assert.All(files, static file => Assert.True(File.Exists(SourceTree.PathOf("src/" + file)), $"there is no file src/{file}"));
            Assert.All(tests, static test => Assert.True(TestNames.Exists(test), $"there is no test {test}"));
        }
    }

    [Theory]
    [InlineData("Extensions")]
    [InlineData("Verbs")]
    public void Every_extension_and_every_verb_has_a_line(string folder)
    {
        var named = Rows.SelectMany(static row => TestNames.In(row[2])).ToHashSet();
        foreach (var path in Directory.EnumerateFiles(SourceTree.PathOf($"src/Postern.Smtp/{folder}"), "*.cs"))
        {
            // What has no row in its table is the table's machinery.
            var file = Path.GetFileName(path);
            if (!File.ReadAllText(path).Contains(" Row = ", StringComparison.Ordinal))
                continue;
            Assert.True(named.Contains($"Postern.Smtp/{folder}/{file}"), $"docs/rfcs.md has no line for {folder}/{file}");
        }
    }
}
