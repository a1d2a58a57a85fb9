using Postern.Commands.Output;

namespace Postern.Tests.Commands;

public sealed class TablePageTests
{
    private const string Id = "01JD0K3ZQ8Y6X5V4T3S2R1P0NM";
    private const string Address = "a-rather-long-mailbox@department.example.org";

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    public void What_is_copied_from_a_narrow_window_stays_in_one_piece(int width)
    {
        var text = Draw(width, new TablePage("id", "from", "last reply").Row(Id, Address, "-").Row(Id, Address, "connect: Connection refused"));

        Assert.Equal(
            [$"id          {Id}", $"from        {Address}", "last reply  -", "", $"id          {Id}", $"from        {Address}", "last reply  connect: Connection refused"],
            text.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Long_words_in_the_last_column_take_some_lines_of_a_table()
    {
        var text = Draw(80, new TablePage("domain", "deferred", "last reply").Row("example.org", "17", string.Join(' ', Enumerable.Repeat("words", 150))).Row("example.net", "3", "-"));

        Assert.Contains("│ example.org │ 17       │ words", text, StringComparison.Ordinal);
        Assert.Contains("│ example.net │ 3        │ -", text, StringComparison.Ordinal);
        Assert.InRange(text.TrimEnd().Split('\n').Length, 6, 9);
        Assert.All(text.Split('\n').Skip(2), static line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void A_wide_window_shows_a_table()
    {
        var text = Draw(120, new TablePage("id", "from", "last reply").Row(Id, Address, "-"));

        Assert.Contains($"│ {Id} │ {Address} │ -", text, StringComparison.Ordinal);
    }

    private static string Draw(int width, TablePage page)
    {
        var output = new StringWriter();
        page.WriteTo(new Terminal(output, TextWriter.Null, TextReader.Null, isInteractive: true, canAsk: false, window: width));
        return output.ToString();
    }
}
