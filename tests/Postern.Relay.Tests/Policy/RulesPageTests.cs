using System.Text;
using Postern.Relay.Policy;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>The table of docs/rules.md is what the rules say of themselves.</summary>
public sealed class RulesPageTests
{
    private const string Page = "docs/rules.md";
    private const string Begin = "<!-- rules -->\n";
    private const string End = "<!-- end -->\n";

    /// <summary>POSTERN_WRITE_DOCS=1 writes the table anew.</summary>
    [Fact]
    public async Task The_page_has_every_rule()
    {
        var table = new StringBuilder("| rule | stages | says |\n|---|---|---|\n");
        foreach (var rule in RelayRules.All)
        {
            var stages = RelayRules.StagesOf(rule.Name).OrderBy(static s => Array.IndexOf(Order, s)).Select(RelayRules.ToWord).ToList();
            table.Append($"| `{rule.Name}` | {(stages.Count == Order.Length ? "all" : string.Join(", ", stages))} | {rule.Doc} |\n");
        }

        var path = SourceTree.PathOf(Page);
        var page = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        var (from, to) = (page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, page.IndexOf(End, StringComparison.Ordinal));
        var written = page[..from] + table + page[to..];
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(path, written, TestContext.Current.CancellationToken);
        else
            Assert.Equal(written, page);
    }

    private static readonly RuleStage[] Order = [RuleStage.Client, RuleStage.Helo, RuleStage.Sender, RuleStage.Recipient, RuleStage.Message];
}
