using Postern.Testing;

namespace Postern.Smtp.Tests.Documentation;

/// <summary>docs/hostile-input.md: every row is held by a test, or says why it cannot happen.</summary>
public sealed class HostileInputTests
{
    private static readonly Dictionary<int, string> Tests = File.ReadLines(SourceTree.PathOf("docs/hostile-input.md"))
        .Select(static l => l.Split('|')).Where(static c => c.Length == 5 && int.TryParse(c[1], out _)).ToDictionary(static c => int.Parse(c[1]), static c => c[3].Trim());

    public static TheoryData<int> Rows() => [.. Enumerable.Range(1, 57), .. Enumerable.Range(75, 18)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_is_held_by_a_test_or_cannot_happen(int row)
    {
        Assert.True(Tests.TryGetValue(row, out var tests), $"docs/hostile-input.md has no row {row}");
        Assert.All(TestNames.In(tests!), test => Assert.True(TestNames.Exists(test), $"row {row}: there is no test {test}"));
        var isHeld = TestNames.In(tests!).Any() || TestNames.HasRow(row) || tests!.StartsWith("cannot happen: ", StringComparison.Ordinal);
        Assert.True(isHeld, $"row {row} has no test");
    }
}
