using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Admin;
using Postern.Web.Documents;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential list</c>.</summary>
internal static class CredentialListCommand
{
    public static Command Create(CommandContext context)
    {
        var account = CredentialCommand.Account();
        var command = new DocumentedCommand(
            "list",
            "List the credentials of an account; never the secrets",
            "postern credential list lisa@example.org").With(account, context.Json);
        command.SetAction((arguments, ct) => context.WithDirectoryAsync(arguments, async directory =>
        {
            var wanted = arguments.GetRequiredValue(account);
            if (await directory.FindAsync(wanted, ct) is not { } found)
                return context.Report(arguments, directory.Queries.NoSuchAccount(wanted));
            return context.Show(
                arguments, found.Credentials, ApiJson.Readable.ImmutableArrayCredentialDetails, terminal => Print(terminal, found));
        }));
        return command;
    }

    public static void Print(Terminal terminal, AccountDetails account)
    {
        var table = new TablePage("credential", "label", "kept as", "made by", "since", "expires", "last used", "good only");
        foreach (var credential in account.Credentials)
        {
            table.Row(
                string.Create(CultureInfo.InvariantCulture, $"#{credential.Id}"),
                credential.Label ?? "-",
                credential.Weakness is { } weakness ? $"{credential.Scheme}, WEAK: {weakness}" : credential.Scheme,
                credential.IsApp ? "postern, for one app" : credential.Generated ? "postern" : "a person",
                TimeText.Format(credential.CreatedAt),
                credential.ExpiresAt is not { } end ? "never"
                    : credential.Expired ? $"{TimeText.Format(end)}, expired"
                    : TimeText.Format(end),
                credential.LastUse is { } use
                    ? $"{TimeText.Format(use.At)} from {use.Client ?? "this machine"} on {use.Listener ?? "no listener"}"
                    : "-",
                credential.Limits?.ToString() ?? "-");
        }

        table.WriteTo(terminal, ifEmpty: account.LogsInBy is { } store
            ? $"no credentials in the directory: {account.Name} logs in by {store}"
            : $"no credentials: {account.Name} cannot log in; to add one: postern credential add {account.Name}");
    }
}
