using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Machine;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Admin;

namespace Postern.Commands;

/// <summary><c>postern passwd</c>: sets, adds or removes a user of a credential file. A server that runs sees it within a second.</summary>
internal static class PasswdCommand
{
    private const string Digest = "digest-md5";

    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "The credential file; made where it is missing" };
        var user = new Argument<string?>("USER") { Description = "Whose password; asked for unless said", Arity = ArgumentArity.ZeroOrOne };
        var scheme = HashCommand.SchemeOption();
        scheme.Description = $"{scheme.Description}; unless said, digest-md5 for a file of that kind, else scram-sha-256";
        var realm = new Option<string?>("--realm")
        {
            Description = "With digest-md5: the realm; unless said that of postern.yaml",
            HelpName = "REALM",
        };
        var remove = new Option<bool>("--remove") { Description = "Remove the user instead" };
        var password = new NewPassword();
        var command = new DocumentedCommand(
            "passwd",
            "Edit a credential file: user:password, or user:realm:hash as htdigest writes it",
            "postern passwd /etc/postern/passwd lisa@example.org",
            "postern passwd /etc/postern/digest --scheme digest-md5 --realm mail.example.org lisa")
            .With(file, user, scheme, realm, remove, password.Generate, context.Json);
        command.Validators.Add(result =>
        {
            if (result.GetValue(remove)
                && (result.GetValue(password.Generate) || result.GetValue(scheme) is not null || result.GetValue(realm) is not null))
                result.AddError("--remove takes no password, and so no scheme and no realm");
            else if (result.GetValue(realm) is not null && result.GetValue(scheme) is { } said && said != Digest)
                result.AddError("--realm is for digest-md5");
        });
        command.SetAction(arguments =>
        {
            if (context.ReadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            var path = Path.GetFullPath(arguments.GetRequiredValue(file));
            if (DirectoryOwner.Become(Path.GetDirectoryName(path) ?? "/") is { } problem)
                return context.Terminal.Fail(problem.What, problem.Todo);
            var commands = new CredentialFileCommands(path, FileOwner.Replace);
            if (Name(arguments.GetValue(user), context.Terminal) is not { Length: > 0 } name)
                return context.Terminal.Fail(
                    "there is no user name", "Say whose password it is: postern passwd FILE USER.", ExitCode.Usage);
            return context.Report(
                arguments, arguments.GetValue(remove) ? commands.Remove(name) : Set(arguments, configuration, path, commands, name));
        });
        return command;

        AdminOutcome Set(
            ParseResult arguments, PosternConfiguration configuration, string path, CredentialFileCommands commands, string name)
        {
            var listed = configuration.Accounts.FirstOrDefault(a => a.Uri.EndsWith($"://{path}", StringComparison.Ordinal));
            var isDigest = commands.IsDigest()
                ?? (listed?.Uri.StartsWith("digest:", StringComparison.Ordinal) is true || arguments.GetValue(realm) is not null);
            var way = HashSchemes.Find(arguments.GetValue(scheme) ?? (isDigest ? Digest : HashSchemes.Usual.Name))!;
            if (password.Read(arguments, context.Terminal) is not { } secret)
                return new AdminOutcome.Invalid("nothing was changed");
            var request = new HashRequest(
                name, arguments.GetValue(realm) ?? listed?.Realm ?? configuration.Realm, secret, arguments.GetValue(password.Generate));
            return way.TryHash(request, out var hash, out var problem) ? commands.Set(name, hash) : new AdminOutcome.Invalid(problem);
        }
    }

    private static string? Name(string? said, Terminal terminal)
    {
        if (said is not null || !terminal.CanAsk)
            return said;
        terminal.Error.Write("User: ");
        terminal.Error.Flush();
        return terminal.Input.ReadLine();
    }
}
