using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;

namespace Postern.Commands;

/// <summary>What all commands share: where they write, and the options that mean the same everywhere.</summary>
internal sealed class CommandContext(Terminal terminal, TimeProvider clock)
{
    public Terminal Terminal => terminal;

    public TimeProvider Clock => clock;

    /// <summary>On every command.</summary>
    public Option<string?> ConfigFile { get; } = new("--config")
    {
        Description = "The configuration file [default: ./postern.yaml, then /etc/postern/postern.yaml]",
        HelpName = "FILE",
        Recursive = true,
    };

    /// <summary>On every command that prints data.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document" };

    /// <summary>The configuration, or null after every error was printed; the exit code is then <see cref="ExitCode.Usage"/>.</summary>
    public PosternConfiguration? LoadConfiguration(ParseResult arguments)
    {
        switch (ConfigurationFile.Load(arguments.GetValue(ConfigFile)))
        {
            case ConfigurationOutcome.Valid(var configuration):
                return configuration;
            case ConfigurationOutcome.Invalid(var errors):
                foreach (var error in errors)
                    terminal.Error.WriteLine(Printable.Line(error.ToString()));
                return null;
            default:
                return null;
        }
    }
}
