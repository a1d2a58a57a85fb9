using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Web.Documents;

namespace Postern.Commands.Accounts;

/// <summary><c>postern account list</c>.</summary>
internal static class AccountListCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand("list", "List accounts", "postern account list").With(context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var accounts = directory.Queries.Accounts();
            return context.Show(arguments, accounts, ApiJson.Readable.ImmutableArrayAccountDetails, terminal =>
            {
                var table = new TablePage("account", "state", "may send as", "credentials");
                foreach (var account in accounts)
                    table.Row(
                        account.Name,
                        AccountText.State(account),
                        AccountText.Grants(account),
                        account.Credentials.Length.ToString(CultureInfo.InvariantCulture));
                table.WriteTo(terminal, ifEmpty: "no accounts; to add one: postern account add NAME");
                foreach (var store in directory.OtherStores)
                    terminal.Note($"users of {store} are not listed; postern account show NAME shows one");
            });
        }));
        return command;
    }
}
