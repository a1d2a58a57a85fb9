using System.CommandLine;
using Postern.Relay.Admin;
using Postern.Web.Access;

namespace Postern.Commands.Operators;

/// <summary><c>postern operator</c>: the people who may use the console and the API.</summary>
internal static class OperatorCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "operator",
            "The people who may use the console",
            "postern operator invite --role owner",
            "postern operator list").With(
            OperatorInviteCommand.Create(context),
            OperatorListCommand.Create(context),
            OperatorInviteCommand.CreateReset(context),
            Role(context),
            Of(context, "disable", "Let an operator sign in no more, and end the open sessions", static (all, name) => all.Disable(name)),
            Of(context, "enable", "Let an operator sign in again", static (all, name) => all.Enable(name)),
            Of(context, "remove", "Remove an operator, and end the open sessions", static (all, name) => all.Remove(name)));

    public static Argument<string> Name() => new("NAME") { Description = "As the operator signs in" };

    public static Option<string?> Tenant() => new("--tenant")
    {
        Description = "Of a tenant's roles: which tenant",
        HelpName = "TENANT",
    };

    public static string Roles => string.Join(", ", Web.Access.Role.All.Select(static one => one.Name));

    private static DocumentedCommand Of(
        CommandContext context, string word, string description, Func<OperatorCommands, string, AdminOutcome> change)
    {
        var name = Name();
        var command = new DocumentedCommand(word, description, $"postern operator {word} lisa").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(arguments, change(directory.Access.Operators, arguments.GetRequiredValue(name)))));
        return command;
    }

    /// <summary><c>postern operator role</c>.</summary>
    private static DocumentedCommand Role(CommandContext context)
    {
        var (name, tenant) = (Name(), Tenant());
        var role = new Argument<string>("ROLE") { Description = $"One of {Roles}" };
        var command = new DocumentedCommand(
            "role",
            "Give an operator another role; open sessions end",
            "postern operator role lisa viewer",
            "postern operator role bart tenant-manager --tenant acme").With(name, role, tenant, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory => context.Report(
            arguments,
            directory.Access.Operators.SetRole(
                arguments.GetRequiredValue(name), arguments.GetRequiredValue(role), arguments.GetValue(tenant)))));
        return command;
    }
}
