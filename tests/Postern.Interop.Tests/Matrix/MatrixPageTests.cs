using Postern.Sasl;
using Postern.Testing;

namespace Postern.Interop.Tests.Matrix;

public sealed class MatrixPageTests
{
    private static readonly string Page = SourceTree.PathOf("docs/sasl.md");

    /// <summary>POSTERN_WRITE_DOCS=1 writes the tables anew.</summary>
    [Fact]
    public void The_tables_of_the_sasl_page_are_current()
    {
        var page = File.ReadAllText(Page);
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1")
            File.WriteAllText(Page, page = MatrixPage.Renew(page));

        Assert.Equal(MatrixPage.Renew(page), page);
    }

    [Fact]
    public void Every_mechanism_is_in_the_matrix() =>
        Assert.Equal(SaslMechanisms.All.Select(static m => m.Name).Order(StringComparer.Ordinal), MatrixTable.Mechanisms.Concat(MatrixTable.Elsewhere.Select(static row => row.Mechanism)).Order(StringComparer.Ordinal));
}
