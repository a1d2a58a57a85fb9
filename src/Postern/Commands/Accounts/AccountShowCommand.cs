using System.CommandLine;
using Postern.Commands.Credentials;
using Postern.Commands.Output;

namespace Postern.Commands.Accounts;

/// <summary><c>postern account show</c>.</summary>
internal static class AccountShowCommand
{
    public static Command Create(CommandContext context)
    {
        var name = AccountCommand.Name();
        var command = new DocumentedCommand("show", "Show an account, its grants and its credentials", "postern account show lisa@example.org").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var wanted = arguments.GetRequiredValue(name);
            if (directory.Queries.Account(wanted) is not { } account)
                return context.Report(arguments, directory.Queries.NoSuchAccount(wanted));
            if (arguments.GetValue(context.Json))
            {
                context.Terminal.Json(account, CommandJson.Readable.AccountDetails);
                return ExitCode.Ok;
            }

            new TablePage("what", "value")
                .Row("account", account.Name)
                .Row("state", AccountText.State(account))
                .Row("since", TimeText.Format(account.CreatedAt))
                .Row("may send as", AccountText.Grants(account))
                .Row("may act as", account.ActsAs.IsEmpty ? "nobody else" : string.Join(", ", account.ActsAs))
                .WriteTo(context.Terminal);
            context.Terminal.Line();
            CredentialListCommand.Print(context.Terminal, account);
            return ExitCode.Ok;
        }));
        return command;
    }
}
