using System.CommandLine;
using Postern.Relay.Admin;

namespace Postern.Commands.Accounts;

/// <summary><c>postern account grant</c> and <c>revoke</c>.</summary>
internal static class AccountGrantCommand
{
    public static Command Create(
        CommandContext context,
        string word,
        string description,
        Func<DirectoryCommands, ChangeGrants, AdminOutcome> change,
        bool takesAway)
    {
        var (name, address, domain, actAs) = (
            AccountCommand.Name(), AccountCommand.Address(), AccountCommand.Domain(), AccountCommand.ActAs());
        var tenant = AccountCommand.Tenant();
        var keep = AccountCommand.Keep();
        var forgetsKeep = new Option<bool>("--keep")
        {
            Description = "Content of its messages is kept as the configuration says, and no more as was said of the account",
        };
        var command = new DocumentedCommand(
            word,
            description,
            $"postern account {word} app --domain example.org --address news@example.net").With(
                name, address, domain, actAs, tenant, takesAway ? forgetsKeep : keep, context.Json);
        command.SetAction((arguments, ct) => takesAway && !arguments.GetValue(forgetsKeep)
            ? context.TakeAwayAsync(arguments, commands => change(commands, Read(arguments)), ct)
            : context.ChangeAccountAsync(arguments, commands => change(commands, Read(arguments)), ct));
        return command;

        ChangeGrants Read(ParseResult arguments) =>
            new(arguments.GetRequiredValue(name), [.. arguments.GetValue(address) ?? []], [.. arguments.GetValue(domain) ?? []])
            {
                ActsAs = [.. arguments.GetValue(actAs) ?? []],
                Tenant = arguments.GetValue(tenant),
                Keep = takesAway ? null : arguments.GetValue(keep),
                ForgetsKeep = takesAway && arguments.GetValue(forgetsKeep),
            };
    }
}
