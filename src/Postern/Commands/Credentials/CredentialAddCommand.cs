using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Admin;
using Postern.Sasl;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential add</c>: a generated secret is printed once, a typed one never.</summary>
internal static class CredentialAddCommand
{
    public static Command Create(CommandContext context)
    {
        var account = CredentialCommand.Account();
        var generate = new Option<bool>("--generate") { Description = "Make a secret and print it once; this is what happens unless --password-stdin is said" };
        var typed = new Option<bool>("--password-stdin") { Description = "Take the first line of standard input as the password" };
        var label = new Option<string?>("--label") { Description = "Where it is used, such as printer; unique within the account", HelpName = "LABEL" };
        var expires = new Option<TimeSpan?>("--expires") { Description = "How long it is good for, such as 90d; for ever unless said", HelpName = "DURATION", CustomParser = ParsedArguments.Duration };
        var command = new DocumentedCommand("add", "Add a secret to an account", "postern credential add lisa@example.org --generate", "postern credential add app --password-stdin --label web-1 < password.txt")
            .With(account, generate, typed, label, expires, context.Json);
        command.Validators.Add(result =>
        {
            if (result.GetValue(generate) && result.GetValue(typed))
                result.AddError("--generate and --password-stdin exclude each other");
        });
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            Secret? secret = null;
            if (arguments.GetValue(typed))
            {
                if (context.Terminal.ReadSecret("Password: ") is not { Length: > 0 } line)
                    return context.Terminal.Fail("there is no password on standard input", "Write it there as one line, or let --generate make one.", ExitCode.Usage);
                secret = new Secret(line);
            }

            var outcome = directory.Commands.Add(new AddCredential(arguments.GetRequiredValue(account), secret, arguments.GetValue(label), arguments.GetValue(expires)));
            var exitCode = context.Report(arguments, outcome, alreadyThere: ExitCode.No);
            if (outcome is AdminOutcome.Issued { Generated: { } generated } && !arguments.GetValue(context.Json))
            {
                context.Terminal.Line($"secret: {generated.Reveal()}");
                context.Terminal.Error.WriteLine("It is not shown again.");
            }

            return exitCode;
        }));
        return command;
    }
}
