using System.CommandLine;
using Postern.Relay.Admin;

namespace Postern.Commands.Accounts;

/// <summary><c>postern account disable</c>, <c>enable</c> and <c>remove</c>: a change that needs a name only.</summary>
internal static class AccountChangeCommand
{
    public static Command Create(CommandContext context, string word, string description, Func<DirectoryCommands, string, AdminOutcome> change, bool takesAway)
    {
        var name = AccountCommand.Name();
        var command = new DocumentedCommand(word, description, $"postern account {word} lisa@example.org").With(name, context.Json);
        command.SetAction((arguments, ct) => takesAway
            ? context.TakeAwayAsync(arguments, commands => change(commands, arguments.GetRequiredValue(name)), ct)
            : context.ChangeAccountAsync(arguments, commands => change(commands, arguments.GetRequiredValue(name)), ct));
        return command;
    }
}
