using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Admin;
using Postern.Relay.Runtime;
using Postern.Sasl;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential add</c> and <c>replace</c>: a generated secret is printed once, a typed one never.</summary>
internal static class CredentialAddCommand
{
    public static Command Create(CommandContext context, bool replaces)
    {
        var account = CredentialCommand.Account();
        var replaced = new Argument<string?>("CREDENTIAL")
        {
            Description = "Which one: its label or number; may be left out where there is only one",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var generate = new Option<bool>("--generate")
        {
            Description = "Make a secret and print it once; this is what happens unless --password-stdin is said",
        };
        var typed = new Option<bool>("--password-stdin") { Description = "Take the first line of standard input as the password" };
        var label = new Option<string?>("--label")
        {
            Description =
                $"Where it is used, such as printer; unique within the "
                    + $"account{(replaces ? "; that of the old one unless said" : string.Empty)}",
            HelpName = "LABEL",
        };
        var expires = new Option<TimeSpan?>("--expires")
        {
            Description = $"How long it is good for, such as 90d; {(replaces ? "as long as the old one" : "for ever")} unless said",
            HelpName = "DURATION",
            CustomParser = ParsedArguments.Duration,
        };
        var app = new Option<bool>("--app")
        {
            Description = "An app password: for one program or device, made and shown once, never in the way of other secrets",
        };
        var scope = new ScopeOptions(lifts: replaces);
        var form = new Option<string>("--form")
        {
            Description =
                $"How it is kept, which decides the mechanisms that can use it: "
                    + $"{string.Join(", ", HashSchemes.ForAccounts.Select(static s => s.Name))}",
            HelpName = "FORM",
            DefaultValueFactory = static _ => HashSchemes.Usual.Name,
        };
        form.AcceptOnlyFromAmong([.. HashSchemes.ForAccounts.Select(static s => s.Name)]);
        var realm = new Option<string?>("--realm")
        {
            Description = "With --form digest-md5: the realm, which is part of the hash; unless said that of postern.yaml",
            HelpName = "REALM",
        };
        var command = replaces
            ? new DocumentedCommand(
                "replace",
                "Put a new secret in the place of one, which is useless at once",
                "postern credential replace app web-1",
                "postern credential replace lisa@example.org --password-stdin < password.txt").With(account, replaced)
            : new DocumentedCommand(
                "add",
                "Add a secret to an account; those that it has stay valid",
                "postern credential add lisa@example.org --generate",
                "postern credential add lisa@example.org --app --label phone --expires 90d --first-network",
                "postern credential add app --password-stdin --label web-1 < password.txt",
                "postern credential add scanner --form shared --label old-scanner").With(account);
        command.With(generate, typed);
        if (!replaces)
            command.With(app);
        command.With([form, realm, label, expires, .. scope.All, context.Json]);
        command.Validators.Add(result =>
        {
            if (result.GetValue(generate) && result.GetValue(typed))
                result.AddError("--generate and --password-stdin exclude each other");
            if (result.GetValue(app) && result.GetValue(typed))
                result.AddError("an app password is made, and not chosen: leave out --password-stdin");
            if (result.GetValue(app) && result.GetValue(label) is null)
                result.AddError("an app password needs --label: where it is used, such as phone");
            if (result.GetResult(realm) is { Implicit: false }
                && HashSchemes.Find(result.GetValue(form) ?? string.Empty) is not { NeedsRealm: true })
                result.AddError("--realm is for --form digest-md5");
        });
        command.SetAction((arguments, ct) => RunAsync(
            context,
            arguments,
            arguments.GetValue(typed),
            configuration => Read(arguments, configuration),
            replaces,
            ct));
        return command;

        AddCredential? Read(ParseResult arguments, PosternConfiguration configuration)
        {
            var scheme = HashSchemes.Find(arguments.GetRequiredValue(form))!;
            if (scope.Read(context.Terminal, arguments, configuration) is not { } limits)
                return null;
            return new(arguments.GetRequiredValue(account), Typed: null, arguments.GetValue(label), arguments.GetValue(expires))
            {
                Scheme = scheme,
                Realm = scheme.NeedsRealm ? arguments.GetValue(realm) ?? configuration.DirectoryRealm : null,
                IsApp = !replaces && arguments.GetValue(app),
                Scope = limits,
                Replaces = replaces ? new RevokeCredential(arguments.GetRequiredValue(account), arguments.GetValue(replaced)) : null,
            };
        }
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
