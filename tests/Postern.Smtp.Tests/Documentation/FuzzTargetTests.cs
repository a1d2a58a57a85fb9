using Postern.Testing;

namespace Postern.Smtp.Tests.Documentation;

public sealed class FuzzTargetTests
{
    [Fact]
    public void Every_fuzz_target_has_its_line_in_the_table()
    {
        var table = File.ReadAllText(SourceTree.PathOf("tests/Postern.Fuzz/TargetTable.cs"));
        foreach (var file in Directory.EnumerateFiles(SourceTree.PathOf("tests/Postern.Fuzz/Targets"), "*.cs").Select(Path.GetFileNameWithoutExtension))
            Assert.True(table.Contains($"new {file}(", StringComparison.Ordinal), $"Targets/{file}.cs has no line in TargetTable.All");
    }
}
