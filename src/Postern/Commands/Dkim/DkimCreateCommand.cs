using System.CommandLine;
using System.Security.Cryptography;
using Postern.Commands.Output;
using Postern.Relay.Dkim;

namespace Postern.Commands.Dkim;

/// <summary><c>postern dkim create</c>: makes keys, or takes one from a file, and prints what to publish.</summary>
internal static class DkimCreateCommand
{
    public static Command Create(CommandContext context)
    {
        var name = DkimCommand.Name();
        var selector = DkimCommand.Selector("The name of the key in DNS [default: made of the date]");
        var algorithm = new Option<string?>("--algorithm")
        {
            Description = "rsa or ed25519 [default: one key of each, and mail is signed by both]",
            HelpName = "rsa|ed25519",
        };
        algorithm.AcceptOnlyFromAmong("rsa", "ed25519");
        var file = new Option<string?>("--key") { Description = "Take this private key (PEM) instead of making one", HelpName = "FILE" };
        var command = new DocumentedCommand(
            "create",
            "Make keys for a domain, and print the records to publish; 'activate' puts them to use",
            "postern dkim create example.org",
            "postern dkim create example.org --selector mail --key /etc/opendkim/keys/mail.private").With(
            name, selector, algorithm, file, context.Json);
        command.SetAction(arguments =>
        {
            // Read before root becomes the data directory's owner: the key may be another user's.
            DkimKey? imported = null;
            if (arguments.GetValue(file) is { } path && ReadKey(context.Terminal, path, out imported) is { } failed)
                return Task.FromResult(failed);
            return context.WithDirectoryAsync(arguments, directory =>
            {
                var domain = arguments.GetRequiredValue(name);
                var kind = arguments.GetValue(algorithm) is { } word ? DkimAlgorithms.Find(word) : null;
                var outcome = directory.Commands.Dkim.Create(domain, arguments.GetValue(selector), kind, imported);
                if (imported is { Algorithm: DkimAlgorithm.Rsa, Bits: < DkimKey.UsualRsaBits })
                    context.Terminal.Note(
                        $"warning: the key has {imported.Bits} bits; RFC 8301 asks for {DkimKey.UsualRsaBits}, "
                            + "and some receivers take no less");
                return DkimShowCommands.ReportAndPublish(context, arguments, directory, domain, outcome);
            });
        });
        return command;
    }

    private static int? ReadKey(Terminal terminal, string path, out DkimKey? key)
    {
        key = null;
        try
        {
            key = DkimKey.FromText(File.ReadAllText(path));
            return null;
        }
        catch (CryptographicException e)
        {
            return terminal.Fail(
                $"{path}: {e.Message}", "Give a private key in PEM, as openssl and opendkim-genkey write it.", ExitCode.Usage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return terminal.Fail(
                $"{path} cannot be read: {e.Message}", "See whether it is there and this user may read it.", ExitCode.Usage);
        }
    }
}
