using System.CommandLine;
using Postern.Commands;
using Postern.Commands.Output;

namespace Postern.Tests.Commands;

public sealed class CommandLineTests
{
    private static readonly RootCommand Root =
        PosternCommands.Create(new CommandContext(new Terminal(TextWriter.Null, TextWriter.Null, TextReader.Null, isInteractive: false, canAsk: false), TimeProvider.System));

    public static TheoryData<string> EveryCommand => [.. Walk(Root, "postern").Select(static c => c.Path)];

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Every_command_explains_itself_with_an_example_that_it_accepts(string path)
    {
        var result = await CommandRun.ExecuteAsync([.. path.Split(' ')[1..], "--help"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Usage:", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Output);
        if (path == "postern")
            return;
        Assert.Contains("Example", result.Output, StringComparison.Ordinal);
        var command = Walk(Root, "postern").Single(c => c.Path == path).Command;
        Assert.All(Assert.IsType<DocumentedCommand>(command).Examples, static example =>
        {
            Assert.StartsWith("postern ", example, StringComparison.Ordinal);
            Assert.Empty(Root.Parse(example.Split([" > ", " < "], StringSplitOptions.None)[0]["postern ".Length..]).Errors);
        });
    }

    [Theory]
    [InlineData("postern has no command 'frobnicate'", "frobnicate", "--help")]
    [InlineData("postern has no command 'acount'; did you mean 'account'?", "acount", "--help")]
    [InlineData("postern account has no command 'frobnicate'", "account", "frobnicate", "-h")]
    [InlineData("postern account has no command 'ad'; did you mean 'add'?", "account", "ad", "--help")]
    [InlineData("postern has no command 'frobnicate'", "--help", "frobnicate")]
    [InlineData("postern has no option '--frobnicate'", "--frobnicate", "--help")]
    [InlineData("postern has no command 'frobnicate'", "frobnicate", "--version")]
    [InlineData("postern has no command 'frobnicate'", "frobnicate", "now")]
    public async Task A_command_that_does_not_exist_has_no_help(string words, params string[] args)
    {
        var result = await CommandRun.ExecuteAsync(args);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("account", "show", "--help")]
    [InlineData("account", "-h")]
    [InlineData("--help")]
    public async Task Help_needs_nothing_else(params string[] args) => Assert.Equal(0, (await CommandRun.ExecuteAsync(args)).ExitCode);

    [Theory]
    [InlineData("init")]
    [InlineData("try")]
    [InlineData("completion", "bash")]
    public async Task A_configuration_that_nothing_would_read_is_refused(params string[] args)
    {
        var result = await CommandRun.ExecuteAsync([.. args, "--config", "/nowhere/postern.yaml"]);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("--config means nothing here", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task A_choice_that_does_not_exist_is_answered_in_one_readable_line()
    {
        var result = await CommandRun.ExecuteAsync(["completion", "tcsh"]);

        Assert.Equal("postern: postern completion: Argument 'tcsh' not recognized. Must be one of: 'bash' 'zsh' 'fish'", result.Error.Split('\n')[0]);
    }

    [Theory]
    [InlineData("queue", "list")]
    [InlineData("log", "auth")]
    public async Task Help_says_a_default_once(params string[] path)
    {
        var help = await CommandRun.ExecuteAsync([.. path, "--help"]);

        Assert.Single(help.Output.Split('\n'), static line => line.Contains("[default: 100]", StringComparison.Ordinal));
        Assert.DoesNotContain("[default: 100] [default: 100]", help.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public void Every_command_and_option_says_what_it_does(string path)
    {
        var command = Walk(Root, "postern").Single(c => c.Path == path).Command;

        Assert.False(string.IsNullOrWhiteSpace(command.Description));
        Assert.All(command.Options, static o => Assert.False(string.IsNullOrWhiteSpace(o.Description), o.Name));
        Assert.All(command.Arguments, static a => Assert.False(string.IsNullOrWhiteSpace(a.Description), a.Name));
    }

    [Theory]
    [InlineData("passwd")]
    [InlineData("hash")]
    [InlineData("auth")]
    [InlineData("spool")]
    public async Task What_is_not_built_does_not_exist(string command) =>
        Assert.Equal(ExitCode.Usage, (await CommandRun.ExecuteAsync([command])).ExitCode);

    [Theory]
    [InlineData("postern has no command 'acount'; did you mean 'account'?", "acount", "list")]
    [InlineData("postern account has no command 'ad'; did you mean 'add'?", "account", "ad")]
    [InlineData("postern check has no option '--jsno'; did you mean '--json'?", "check", "--jsno")]
    [InlineData("postern queue stats has no option '--yes'", "queue", "stats", "--yes")]
    [InlineData("postern account show has no argument 'b'", "account", "show", "a", "b")]
    [InlineData("postern has no command 'spool'", "spool", "check")]
    [InlineData("postern queue has no command 'stat'; did you mean 'stats'?", "queue", "stat", "list")]
    public async Task A_mistyped_word_is_answered_with_the_nearest_one(string expected, params string[] args)
    {
        var result = await CommandRun.ExecuteAsync(args);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Equal($"postern: {expected}", result.Error.Split('\n')[0]);
        Assert.Contains("--help", result.Error.Split('\n')[1], StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData]
    [InlineData("account")]
    [InlineData("account", "show")]
    [InlineData("network", "add", "192.0.2.0/24")]
    [InlineData("credential", "add", "a", "--generate", "--password-stdin")]
    [InlineData("credential", "add", "a", "--expires", "soon")]
    [InlineData("queue", "remove")]
    [InlineData("queue", "hold", "nonsense")]
    [InlineData("queue", "hold", "--all", "--to", "a@example.org")]
    [InlineData("check", "--config")]
    public async Task Wrong_usage_is_exit_code_2_and_two_lines(params string[] args)
    {
        var result = await CommandRun.ExecuteAsync(args);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Equal(2, result.Error.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task A_configuration_that_is_not_there_is_exit_code_2()
    {
        var result = await CommandRun.ExecuteAsync(["account", "list", "--config", "/nowhere/postern.yaml"]);

        Assert.Equal((ExitCode.Usage, "/nowhere/postern.yaml: no such file\n"), (result.ExitCode, result.Error));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task A_completion_script_asks_postern_what_fits(string shell)
    {
        var result = await CommandRun.ExecuteAsync(["completion", shell]);

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Contains("[suggest:", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_suggestions_behind_completion_are_the_commands()
    {
        var result = await CommandRun.ExecuteAsync(["[suggest:16]", "postern account "]);

        Assert.Subset(result.Output.Split('\n').ToHashSet(StringComparer.Ordinal), new HashSet<string>(["add", "list", "show", "grant", "revoke"], StringComparer.Ordinal));
    }

    private static IEnumerable<(string Path, Command Command)> Walk(Command command, string path) =>
        command.Subcommands.SelectMany(child => Walk(child, $"{path} {child.Name}")).Prepend((path, command));
}
