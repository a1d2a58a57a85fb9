using System.CommandLine;
using Postern.Commands.Credentials;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Web.Documents;

namespace Postern.Commands.Accounts;

/// <summary><c>postern account show</c>.</summary>
internal static class AccountShowCommand
{
    public static Command Create(CommandContext context)
    {
        var name = AccountCommand.Name();
        var command = new DocumentedCommand(
            "show",
            "Show an account or a user of any store: its grants, its credentials, and which store logs it in",
            "postern account show lisa@example.org").With(name, context.Json);
        command.SetAction((arguments, ct) => context.WithDirectoryAsync(arguments, async directory =>
        {
            var wanted = arguments.GetRequiredValue(name);
            if (await directory.FindAsync(wanted, ct) is not { } account)
                return context.Report(arguments, directory.Queries.NoSuchAccount(wanted));
            return context.Show(arguments, account, ApiJson.Readable.AccountDetails, terminal => Print(terminal, account));
        }));
        return command;
    }

    private static void Print(Terminal terminal, AccountDetails account)
    {
        new TablePage("what", "value")
            .Row("account", account.Name)
            .Row("state", AccountText.State(account))
            .Row("since", account.CreatedAt is { } since ? TimeText.Format(since) : "-")
            .Row("tenant", account.Tenant ?? "-")
            .Row("logs in by", AccountText.LogsInBy(account))
            .Row("may send as", AccountText.Grants(account))
            .Row("may act as", account.ActsAs.IsEmpty ? "nobody else" : string.Join(", ", account.ActsAs))
            .Row("content", KeepText.Of(account.KeepSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null))
            .WriteTo(terminal);
        terminal.Line();
        CredentialListCommand.Print(terminal, account);
        if (account.Stores.Length < 2)
            return;
        terminal.Line();
        var stores = new TablePage("store", "says");
        foreach (var store in account.Stores)
            stores.Row(store.Store, store.Says);
        stores.WriteTo(terminal);
    }
}
