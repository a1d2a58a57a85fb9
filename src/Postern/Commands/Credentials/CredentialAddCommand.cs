using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Admin;
using Postern.Relay.Runtime;
using Postern.Sasl;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential add</c> and <c>replace</c>: a generated secret is printed once, a typed one never.</summary>
internal static class CredentialAddCommand
{
    public static Command Create(CommandContext context, bool replaces)
    {
        var options = new CredentialAddOptions(replaces);
        var command = replaces
            ? new DocumentedCommand(
                "replace",
                "Put a new secret in the place of one, which is useless at once",
                "postern credential replace app web-1",
                "postern credential replace lisa@example.org --password-stdin < password.txt")
            : new DocumentedCommand(
                "add",
                "Add a secret to an account; those that it has stay valid",
                "postern credential add lisa@example.org --generate",
                "postern credential add lisa@example.org --app --label phone --expires 90d --first-network",
                "postern credential add app --password-stdin --label web-1 < password.txt",
                "postern credential add scanner --form shared --label old-scanner");
        command.With([.. options.All, context.Json]);
        command.Validators.Add(options.Check);
        command.SetAction((arguments, ct) => RunAsync(
            context,
            arguments,
            arguments.GetValue(options.Typed),
            configuration => options.Read(context.Terminal, arguments, configuration),
            replaces,
            ct));
        return command;
    }

    private static async Task<int> RunAsync(
        CommandContext context,
        ParseResult arguments,
        bool isTyped,
        Func<PosternConfiguration, AddCredential?> read,
        bool replaces,
        CancellationToken ct)
    {
        Secret? secret = null;
        if (isTyped)
        {
            if (context.Terminal.ReadSecret("Password: ") is not { Length: > 0 } line)
                return context.Terminal.Fail(
                    "there is no password on standard input",
                    "Write it there as one line, or let --generate make one.",
                    ExitCode.Usage);
            secret = new Secret(line);
        }

        if (context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        if (read(configuration) is not { } asked)
            return ExitCode.Usage;
        var wanted = asked with { Typed = secret };
        AdminOutcome? outcome = null;
        var exitCode = replaces
            ? await context.TakeAwayAsync(arguments, commands => outcome = commands.Credentials.Add(wanted), ct, alreadyThere: ExitCode.No)
            : await context.ChangeAccountAsync(
                arguments, commands => outcome = commands.Credentials.Add(wanted), ct, alreadyThere: ExitCode.No);
        if (outcome is AdminOutcome.Issued { Generated: { } generated } && !arguments.GetValue(context.Json))
        {
            context.Terminal.Line($"secret: {generated.Reveal()}");
            context.Terminal.Note("It is not shown again.");
        }

        if (outcome is AdminOutcome.Issued && wanted.Scheme.IsReadable)
            context.Terminal.Note(
                $"warning: whoever reads {RelayOptions.DirectoryFile(configuration.Server.Data)} can log in with it: "
                    + $"{wanted.Scheme.Name} keeps what the mechanism computes with. Use it only where nothing better works.");
        return exitCode;
    }
}
