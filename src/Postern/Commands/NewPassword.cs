using System.CommandLine;
using Postern.Commands.Output;
using Postern.Sasl;

namespace Postern.Commands;

/// <summary>A password for a command that keeps one: typed twice, taken from standard input, or made.</summary>
internal sealed class NewPassword
{
    public Option<bool> Generate { get; } = new("--generate") { Description = "Make a password and print it once, on the error stream" };

    /// <summary>Null after it was said what is missing; the exit code is then <see cref="ExitCode.Usage"/>.</summary>
    public Secret? Read(ParseResult arguments, Terminal terminal)
    {
        if (arguments.GetValue(Generate))
        {
            var made = Secret.Generate();
            terminal.Error.WriteLine($"password: {made.Reveal()}");
            return made;
        }

        if (terminal.ReadSecret("Password: ") is not { Length: > 0 } text)
        {
            terminal.Fail(
                "there is no password on standard input", "Write it there as one line, or let --generate make one.", ExitCode.Usage);
            return null;
        }

        if (terminal.CanAsk && terminal.ReadSecret("Once more: ") != text)
        {
            terminal.Fail("the two are not the same", "Try again.", ExitCode.Usage);
            return null;
        }

        return new Secret(text);
    }
}
