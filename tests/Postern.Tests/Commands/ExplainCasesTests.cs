using System.Xml.Linq;
using Postern.Commands.Output;
using Postern.Testing;
using Postern.Tests.Examples;

namespace Postern.Tests.Commands;

/// <summary><c>postern explain --cases</c>: tests of an operator's own.</summary>
public sealed class ExplainCasesTests : IDisposable
{
    private readonly CommandRun run = new("server: { hostname: mail.example.org, data: data }\ndomains: [example.org]\n");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Report => Path.Combine(run.Root, "report.xml");

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task The_example_of_the_documentation_holds()
    {
        await using var example = new ExampleServer("policy-tests");
        var result = await example.Run.PosternAsync("explain", "--cases", SourceTree.PathOf("docs/examples/policy-tests/cases.yaml"));
        Assert.True(result.ExitCode == ExitCode.Ok, result.Output + result.Error);
        Assert.Contains("9 of 9 cases as expected", result.Output, StringComparison.Ordinal);
        Assert.Single(result.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task What_comes_out_differently_is_a_row_with_its_place_and_what_would_mend_it_and_the_exit_code_is_1()
    {
        var file = await WriteAsync("""
            cases:
              - { name: as it is, client: 192.0.2.7, from: a@example.com, to: b@example.org, expected: permit }
              - { name: not so, client: 192.0.2.7, from: a@example.com, to: b@example.net, expected: permit }
              - { client: 192.0.2.7, from: a@example.com, to: b@example.net, expected: refuse 451 }
              - { name: another rule, client: 192.0.2.7, from: a@example.com, to: b@example.org, expected: permit, by: permit_networks }
            """);

        var result = await run.PosternAsync("explain", "--cases", file, "--junit", Report);

        Assert.Equal((ExitCode.No, string.Empty), (result.ExitCode, result.Error));
        Assert.Contains("1 of 4 cases as expected", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("as it is", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"cases\.yaml:3 +not so +permit +refuse 530 by reject_unauth_destination +example\.net is not a domain accepted here; what permits it: ", result.Output);
        Assert.Matches(@"cases\.yaml:4 +\S*cases\.yaml:4 +refuse 451 +refuse 530 by", result.Output);
        Assert.Matches(@"another rule +permit by permit_networks +permit by reject_unauth_destination", result.Output);

        var suite = XDocument.Load(Report).Root!.Element("testsuite")!;
        Assert.Equal((file, "4", "3"), (suite.Attribute("name")!.Value, suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value));
        Assert.Equal([0, 1, 1, 1], suite.Elements("testcase").Select(static one => one.Elements("failure").Count()));
        Assert.Equal("expected permit, decided refuse 530 by reject_unauth_destination", suite.Descendants("failure").First().Attribute("message")!.Value);

        var json = await run.JsonAsync("explain", "--cases", file);
        Assert.False(json.GetProperty("ok").GetBoolean());
        Assert.Equal([true, false, false, false], json.GetProperty("cases").EnumerateArray().Select(static one => one.GetProperty("ok").GetBoolean()));
    }

    [Theory]
    [InlineData("cases:\n  - { client: 192.0.2.7, from: a@b.test, to: c@d.test, expected: permited }", ":2:66: cases[0].expected: 'permited' is not right here")]
    [InlineData("cases:\n  - { client: nowhere, from: a@b.test, to: c@d.test, expected: permit }", ":2:15: cases[0].client: 'nowhere' is not right here")]
    [InlineData("cases:\n  - { client: 192.0.2.7, form: a@b.test, to: c@d.test, expected: permit }", ":2:26: cases[0].form: unknown key")]
    [InlineData("cases:\n  - { client: 192.0.2.7, from: a@b.test, to: c@d.test, expected: permit, by: permit_network }", "cases[0].by: no rule is called 'permit_network'")]
    [InlineData("cases:\n  - { client: 192.0.2.7, from: a@b.test, to: c@d.test, listener: nowhere, expected: permit }", ":2: ")]
    [InlineData("cases: []", "cases: there is no test in it")]
    [InlineData("", "cases: missing key")]
    [InlineData("cases: [", "not YAML")]
    [InlineData(null, "no such file")]
    public async Task A_mistake_in_the_file_is_told_with_its_place_and_nothing_is_written(string? text, string error)
    {
        var file = text is null ? Path.Combine(run.Root, "cases.yaml") : await WriteAsync(text);
        var result = await run.PosternAsync("explain", "--cases", file, "--junit", Report);
        Assert.Equal((ExitCode.Usage, string.Empty), (result.ExitCode, result.Output));
        Assert.Contains(error, result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Report));
    }

    [Theory]
    [InlineData("--cases", "x.yaml", "K7M3Q9")]
    [InlineData("--cases", "x.yaml", "--client", "192.0.2.7")]
    [InlineData("--junit", "x.xml", "K7M3Q9")]
    public async Task It_takes_nothing_beside_its_file(params string[] args) =>
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync(["explain", .. args])).ExitCode);

    private async Task<string> WriteAsync(string text)
    {
        var file = Path.Combine(run.Root, "cases.yaml");
        await File.WriteAllTextAsync(file, text, Ct);
        return file;
    }
}
