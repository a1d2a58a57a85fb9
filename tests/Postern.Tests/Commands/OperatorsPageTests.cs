using Postern.Commands.Output;
using Postern.Sasl;
using Postern.Testing;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Web.Access;

namespace Postern.Tests.Commands;

/// <summary>docs/operators.md: every command on it, as it is written, between people who take the invitations.</summary>
public sealed class OperatorsPageTests
{
    [Fact]
    public async Task Every_command_on_the_page_does_what_the_page_says()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\nweb: { listen: ['127.0.0.1:2580'] }\n");
        var outputs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Commands())
        {
            var result = await run.PosternAsync(line.Trim().Split(' ')[1..]);

            Assert.True(result.ExitCode == ExitCode.Ok, $"{line}\n{result.Output}\n{result.Error}");
            outputs[line.Trim()] = result.Output + result.Error;
            // The people of the page take what they are given: marge the first code, lisa the one for a viewer.
            if (result.Output.Split("code: ") is [_, var rest])
                Take(run, rest.Split('\n')[0], outputs.Count == 1 ? "marge" : outputs.Count == 2 ? "lisa" : null);
        }

        Assert.Equal(14, outputs.Count);
        Assert.Contains("whoever has the code becomes an owner; it counts once, until ", outputs["postern operator invite"], StringComparison.Ordinal);
        Assert.Matches("link: http://127.0.0.1:2580/setup#([0-9a-z]{4}-){6}[0-9a-z]{4}\n", outputs["postern operator invite"]);
        Assert.Matches("lisa +viewer +- +enabled(.|\n)*marge +owner(.|\n)*waits until .* for a new tenant-manager of acme", outputs["postern operator list"]);
        Assert.Matches("grafana +metrics.read(.|\n)*shop +messages.read messages.send +shop +acme +192.0.2.0/24", outputs["postern key list"]);
        Assert.Matches("\nkey: pst_[0-9a-z]{8}_[0-9a-z]{52}_[0-9a-f]{8}\nIt is not shown again.\n$", outputs["postern key add grafana --scope metrics.read --expires 90d"]);
    }

    private static void Take(CommandRun run, string code, string? name)
    {
        if (name is null)
            return;
        using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(run.Data, "directory.db")));
        var operators = new AccessCommands(directory, TimeProvider.System, audit: null, new Operator("test")).Operators;
        var totp = operators.Look(code)!.Totp;
        Assert.IsType<AdminOutcome.Done>(operators.Enrol(
            new EnrolOperator(code, name, new Secret("lantern walnut tricycle"), OneTimeCode.Of(totp, TimeProvider.System.GetUtcNow()))));
    }

    private static IEnumerable<string> Commands() =>
        File.ReadLines(SourceTree.PathOf("docs/operators.md")).Where(static line => line.StartsWith("    postern ", StringComparison.Ordinal));
}
