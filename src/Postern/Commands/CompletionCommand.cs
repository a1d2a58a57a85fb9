using System.CommandLine;
using Postern.Commands.Output;

namespace Postern.Commands;

/// <summary><c>postern completion</c>: a script for the shell, which asks postern itself what fits.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _postern() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(postern "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _postern postern
        """;

    private const string Zsh = """
        #compdef postern
        _postern() {
            local -a found
            found=("${(@f)$(postern "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
            compadd -a found
        }
        compdef _postern postern
        """;

    private const string Fish = """
        complete -c postern -f -a '(postern "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'
        """;

    public static Command Create(CommandContext context)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new DocumentedCommand(
            "completion",
            "Print the completion script of a shell",
            "postern completion bash > /etc/bash_completion.d/postern",
            "postern completion fish > ~/.config/fish/completions/postern.fish")
            .With(shell);
        context.ReadNoConfiguration(command);
        command.SetAction(arguments =>
        {
            context.Terminal.Output.WriteLine(arguments.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return ExitCode.Ok;
        });
        return command;
    }
}
