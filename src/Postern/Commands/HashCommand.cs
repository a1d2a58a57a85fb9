using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Commands;

/// <summary><c>postern hash</c>: one stored form of a password, for stores that are filled by other programs.</summary>
internal static class HashCommand
{
    public static Command Create(CommandContext context)
    {
        var scheme = SchemeOption();
        scheme.DefaultValueFactory = static _ => HashSchemes.Usual.Name;
        var user = new Option<string?>("--user")
        {
            Description = "With digest-md5: whose it is, as the user will write it",
            HelpName = "USER",
        };
        var realm = new Option<string?>("--realm") { Description = "With digest-md5: the realm", HelpName = "REALM" };
        var password = new NewPassword();
        var command = new DocumentedCommand(
            "hash",
            "Print a stored form of a password, which is asked for or read from standard input",
            "postern hash --scheme scram-sha-256 < password.txt",
            "postern hash --scheme digest-md5 --user lisa --realm mail.example.org")
            .With(scheme, user, realm, password.Generate);
        context.ReadNoConfiguration(command);
        command.Validators.Add(result =>
        {
            var needs = HashSchemes.Find(result.GetValue(scheme) ?? string.Empty) is { NeedsRealm: true };
            if (needs && (result.GetValue(user) is null || result.GetValue(realm) is null))
                result.AddError("digest-md5 needs --user and --realm: both are part of the hash");
            else if (!needs && (result.GetValue(user) ?? result.GetValue(realm)) is not null)
                result.AddError("--user and --realm are for digest-md5");
        });
        command.SetAction(arguments =>
        {
            if (password.Read(arguments, context.Terminal) is not { } secret)
                return ExitCode.Usage;
            var request = new HashRequest(
                arguments.GetValue(user) ?? string.Empty,
                arguments.GetValue(realm) ?? string.Empty,
                secret,
                arguments.GetValue(password.Generate));
            if (!HashSchemes.Find(arguments.GetRequiredValue(scheme))!.TryHash(request, out var hash, out var problem))
                return context.Terminal.Fail(problem, "Choose another password or scheme.", ExitCode.Usage);
            context.Terminal.Output.WriteLine(hash.Stored);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Option<string> SchemeOption()
    {
        var scheme = new Option<string>("--scheme")
        {
            Description = $"How it is kept: {string.Join(", ", HashSchemes.All.Select(static s => s.Name))}",
            HelpName = "SCHEME",
        };
        scheme.AcceptOnlyFromAmong([.. HashSchemes.All.Select(static s => s.Name)]);
        return scheme;
    }
}
