using System.Globalization;
using Postern.Testing;

namespace Postern.Smtp.Tests.Documentation;

/// <summary>docs/hostile-input.md, docs/faults.md and docs/field-reports.md: every row is held by a test, or says why it cannot happen.</summary>
public sealed class HostileInputTests
{
    private static readonly Dictionary<int, string> Hostile = RowsOf("docs/hostile-input.md");
    private static readonly Dictionary<int, string> Faults = RowsOf("docs/faults.md");
    private static readonly Dictionary<int, string> Field = RowsOf("docs/field-reports.md");

    public static TheoryData<int> Reported() => [.. Enumerable.Range(1, 57), .. Enumerable.Range(75, 18)];

    public static TheoryData<int> Tried() => [.. Hostile.Keys.Where(static row => row > 92)];

    public static TheoryData<int> Broken() => [.. Faults.Keys];

    public static TheoryData<int> Met() => [.. Field.Keys];

    [Theory]
    [MemberData(nameof(Reported))]
    [MemberData(nameof(Tried))]
    public void A_row_is_held_by_a_test_or_cannot_happen(int row) => IsHeld("docs/hostile-input.md", Hostile, row, row <= 92);

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_fault_of_the_machine_is_held_by_a_test_or_cannot_happen(int row) => IsHeld("docs/faults.md", Faults, row, byName: false);

    [Theory]
    [MemberData(nameof(Met))]
    public void What_the_world_does_is_held_by_a_test_or_cannot_happen(int row) => IsHeld("docs/field-reports.md", Field, row, byName: false);

    [Fact]
    public void Every_budget_of_a_client_has_a_number_a_word_and_a_test()
    {
        var rows = File.ReadLines(SourceTree.PathOf("docs/budgets.md")).Where(static l => l.StartsWith("| ", StringComparison.Ordinal) && !l.StartsWith("| what ", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, static row =>
        {
            var cells = row.Split('|');
            Assert.Equal(7, cells.Length);
            Assert.All(cells[1..^1], static cell => Assert.False(string.IsNullOrWhiteSpace(cell)));
            Assert.NotEmpty(TestNames.In(cells[^2]));
            Assert.All(TestNames.In(cells[^2]), static test => Assert.True(TestNames.Exists(test), $"docs/budgets.md: there is no test {test}"));
        });
    }

    /// <summary>Each section of the pages has ten numbers of its own; one without a row promises nothing.</summary>
    [Fact]
    public void No_kind_of_attack_and_no_kind_of_fault_is_without_a_test()
    {
        Assert.All(Enumerable.Range(13, 12), static ten => Assert.True(Hostile.Keys.Any(row => row / 10 == ten), $"docs/hostile-input.md has no row from {ten}0 to {ten}9"));
        Assert.All(Enumerable.Range(1, 9), static ten => Assert.True(Faults.Keys.Any(row => row / 10 == ten), $"docs/faults.md has no row from {ten}0 to {ten}9"));
        Assert.All([.. Enumerable.Range(11, 14), .. Enumerable.Range(31, 14), 51], static ten => Assert.True(Field.Keys.Any(row => row / 10 == ten), $"docs/field-reports.md has no row from {ten}0 to {ten}9"));
    }

    private static void IsHeld(string page, Dictionary<int, string> rows, int row, bool byName)
    {
        Assert.True(rows.TryGetValue(row, out var tests), $"{page} has no row {row}");
        Assert.All(TestNames.In(tests!), test => Assert.True(TestNames.Exists(test), $"{page}, row {row}: there is no test {test}"));
        var isHeld = TestNames.In(tests!).Any() || (byName && TestNames.HasRow(row)) || tests!.StartsWith("cannot happen: ", StringComparison.Ordinal);
        Assert.True(isHeld, $"{page}, row {row} has no test");
    }

    private static Dictionary<int, string> RowsOf(string page) => File.ReadLines(SourceTree.PathOf(page))
        .Select(static l => l.Split('|'))
        .Where(static c => c.Length >= 5 && int.TryParse(c[1], CultureInfo.InvariantCulture, out _))
        .ToDictionary(static c => int.Parse(c[1], CultureInfo.InvariantCulture), static c => c[^2].Trim());
}
