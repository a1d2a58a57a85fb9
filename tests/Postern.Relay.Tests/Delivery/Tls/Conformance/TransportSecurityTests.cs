using System.Text;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>
/// RFC 6698, 7671, 7672, 8460, 8461 and 8689, section by section: every example, and what they ask of a client that sends mail. The listing of these tests is the
/// statement of conformance; docs/tls-conformance.md has it as a page.
/// </summary>
public sealed class TransportSecurityTests
{
    private static readonly Statement[] All =
    [
        .. DaneRecordStatements.All, .. DaneLookupStatements.All, .. DaneCertificateStatements.All, .. StsStatements.All, .. StsDeliveryStatements.All, .. TlsReportStatements.All,
    ];

    public static TheoryData<string, string> Statements
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var statement in All)
                data.Add(statement.Section, statement.Says);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Statements))]
    public Task Holds(string section, string says) => Assert.Single(All, s => s.Section == section && s.Says == says).Holds();

    /// <summary>POSTERN_WRITE_DOCS=1 writes the tables anew.</summary>
    [Fact]
    public void The_page_has_every_statement()
    {
        const string Mark = "<!-- statements -->";
        var path = SourceTree.PathOf("docs/tls-conformance.md");
        var page = File.ReadAllText(path);
        var whole = page[..(page.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)] + Tables();
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1")
            File.WriteAllText(path, whole);
        Assert.Equal(whole, File.ReadAllText(path));
    }

    private static string Tables()
    {
        var text = new StringBuilder();
        foreach (var rfc in All.GroupBy(static s => s.Section.Split(' ')[0]).OrderBy(static g => g.Key, StringComparer.Ordinal))
        {
            text.Append($"\n\n## RFC {rfc.Key}\n\n| section | what holds |\n|---|---|");
            foreach (var statement in rfc)
                text.Append($"\n| {statement.Section[(rfc.Key.Length + 1)..]} | {statement.Says} |");
        }

        return text.Append('\n').ToString();
    }
}
