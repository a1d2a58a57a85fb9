using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Accounts.Hashes;
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
        var form = new Option<string>("--form") { Description = $"How it is kept, which decides the mechanisms that can use it: {string.Join(", ", HashSchemes.ForAccounts.Select(static s => s.Name))}", HelpName = "FORM", DefaultValueFactory = static _ => HashSchemes.Usual.Name };
        form.AcceptOnlyFromAmong([.. HashSchemes.ForAccounts.Select(static s => s.Name)]);
        var realm = new Option<string?>("--realm") { Description = "With --form digest-md5: the realm, which is part of the hash; unless said that of postern.yaml", HelpName = "REALM" };
        var command = new DocumentedCommand("add", "Add a secret to an account", "postern credential add lisa@example.org --generate", "postern credential add app --password-stdin --label web-1 < password.txt", "postern credential add scanner --form shared --label old-scanner")
            .With(account, generate, typed, form, realm, label, expires, context.Json);
        command.Validators.Add(result =>
        {
            if (result.GetValue(generate) && result.GetValue(typed))
                result.AddError("--generate and --password-stdin exclude each other");
            if (result.GetResult(realm) is { Implicit: false } && HashSchemes.Find(result.GetValue(form) ?? string.Empty) is not { NeedsRealm: true })
                result.AddError("--realm is for --form digest-md5");
        });
        command.SetAction((arguments, ct) => context.WithDirectoryAsync(arguments, async directory =>
        {
            Secret? secret = null;
            if (arguments.GetValue(typed))
            {
                if (context.Terminal.ReadSecret("Password: ") is not { Length: > 0 } line)
                    return context.Terminal.Fail("there is no password on standard input", "Write it there as one line, or let --generate make one.", ExitCode.Usage);
                secret = new Secret(line);
            }

            var scheme = HashSchemes.Find(arguments.GetRequiredValue(form))!;
            var outcome = directory.Commands.Add(new AddCredential(arguments.GetRequiredValue(account), secret, arguments.GetValue(label), arguments.GetValue(expires))
            {
                Scheme = scheme,
                Realm = scheme.NeedsRealm ? arguments.GetValue(realm) ?? directory.Realm : null,
            });
            outcome = await directory.WithHintAsync(outcome, ct);
            var exitCode = context.Report(arguments, outcome, alreadyThere: ExitCode.No);
            if (outcome is AdminOutcome.Issued { Generated: { } generated } && !arguments.GetValue(context.Json))
            {
                context.Terminal.Line($"secret: {generated.Reveal()}");
                context.Terminal.Note("It is not shown again.");
            }

            if (outcome is AdminOutcome.Issued && scheme.IsReadable)
                context.Terminal.Note($"warning: whoever reads {directory.File} can log in with it: {scheme.Name} keeps what the mechanism computes with. Use it only where nothing better works.");

            return exitCode;
        }));
        return command;
    }
}
