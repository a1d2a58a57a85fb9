using System.CommandLine;
using Postern.Configuration.Messages;
using Postern.Relay.Admin;

namespace Postern.Commands.Accounts;

/// <summary><c>postern account</c>: who may log in, and as whom each may send.</summary>
internal static class AccountCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "account",
            "Identities, and as whom each may send",
            "postern account add lisa@example.org",
            "postern account add app --domain example.org").With(
            AccountAddCommand.Create(context),
            AccountListCommand.Create(context),
            AccountShowCommand.Create(context),
            AccountImportCommand.Create(context),
            AccountChangeCommand.Create(
                context,
                "disable",
                "Let an account neither log in nor send, from now on",
                static (commands, name) => commands.Accounts.Disable(name),
                takesAway: true),
            AccountChangeCommand.Create(
                context, "enable", "Undo disable", static (commands, name) => commands.Accounts.Enable(name), takesAway: false),
            AccountChangeCommand.Create(
                context,
                "remove",
                "Remove an account with its credentials and grants",
                static (commands, name) => commands.Accounts.Remove(name),
                takesAway: true),
            AccountGrantCommand.Create(
                context,
                "grant",
                "Let an account send as more addresses or domains, or act as another",
                static (commands, change) => commands.Accounts.Grant(change),
                takesAway: false),
            AccountGrantCommand.Create(
                context,
                "revoke",
                "Take such a right away from an account",
                static (commands, change) => commands.Accounts.Revoke(change),
                takesAway: true));

    public static Argument<string> Name() => new("NAME") { Description = "The account" };

    public static Option<string[]> Address() =>
        new("--address")
        {
            Description = "May send as this address; several are possible",
            HelpName = "ADDRESS",
            Arity = ArgumentArity.OneOrMore,
        };

    public static Option<string[]> ActAs() =>
        new("--act-as")
        {
            Description = "May log in on behalf of this account; several are possible",
            HelpName = "ACCOUNT",
            Arity = ArgumentArity.OneOrMore,
        };

    public static Option<string?> Tenant() => new("--tenant")
    {
        Description = "Whose account it is, where several share the server; routes, logs and searches know it by that",
        HelpName = "TENANT",
    };

    /// <summary>How long; null where it is not said.</summary>
    public static Option<TimeSpan?> Keep() => new("--keep")
    {
        Description = "How long the content of its messages is kept when their delivery is over, such as 7d; 'off': not at all, "
            + "whatever the configuration says",
        HelpName = "TIME",
        CustomParser = static result => ParsedArguments.Of(result, KeepSection.Time),
    };

    public static Option<string[]> Domain() =>
        new("--domain")
        {
            Description = "May send as any address of this domain; several are possible",
            HelpName = "DOMAIN",
            Arity = ArgumentArity.OneOrMore,
        };
}

/// <summary><c>postern account disable</c>, <c>enable</c> and <c>remove</c>: a change that needs a name only.</summary>
internal static class AccountChangeCommand
{
    public static Command Create(
        CommandContext context, string word, string description, Func<DirectoryCommands, string, AdminOutcome> change, bool takesAway)
    {
        var name = AccountCommand.Name();
        var command = new DocumentedCommand(word, description, $"postern account {word} lisa@example.org").With(name, context.Json);
        command.SetAction((arguments, ct) => takesAway
            ? context.TakeAwayAsync(arguments, commands => change(commands, arguments.GetRequiredValue(name)), ct)
            : context.ChangeAccountAsync(arguments, commands => change(commands, arguments.GetRequiredValue(name)), ct));
        return command;
    }
}

/// <summary>Accounts in words.</summary>
internal static class AccountText
{
    public static string State(AccountDetails account) => account.Enabled ? "enabled" : "disabled";

    public static string LogsInBy(AccountDetails account) => account.LogsInBy ?? "nothing: no store has a password of it";

    public static string Grants(AccountDetails account) => account switch
    {
        { Addresses.IsEmpty: true, Domains.IsEmpty: true } => "nobody",
        _ => string.Join(", ", account.Addresses.Concat(account.Domains.Select(static d => $"*@{d}"))),
    };
}
