using System.Reflection;
using System.Text;
using Postern.Smtp.Dialogue;

namespace Postern.Smtp.Tests.Session;

public sealed class VerbTableTests
{
    [Fact]
    public void Every_verb_file_has_its_line_in_the_table()
    {
        var rows = typeof(VerbTable).Assembly.GetTypes()
            .Where(static type => type.Namespace == "Postern.Smtp.Verbs" && type.DeclaringType is null)
            .Select(static type => (type.Name, Row: type.GetField("Row", BindingFlags.Static | BindingFlags.Public)?.GetValue(null) as Verb))
            .ToList();

        Assert.NotEmpty(rows);
        foreach (var (name, row) in rows)
            Assert.True(row is not null && VerbTable.All.Contains(row), $"Verbs/{name}.cs has no line in VerbTable.All");
    }

    [Fact]
    public void Names_are_upper_case_and_unique() =>
        Assert.Equal(VerbTable.All.Select(static v => v.Name.ToUpperInvariant()).Distinct(), VerbTable.All.Select(static v => v.Name));

    [Fact]
    public void A_verb_is_found_in_any_case_and_not_by_a_part_of_its_name()
    {
        Assert.Equal("STARTTLS", VerbTable.Find(Encoding.ASCII.GetBytes("StartTLS"))?.Name);
        Assert.Null(VerbTable.Find("STARTTL"u8));
        Assert.Null(VerbTable.Find(""u8));
    }
}
