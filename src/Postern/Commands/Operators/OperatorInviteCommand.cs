using System.CommandLine;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Web.Access;
using Postern.Web.Documents;

namespace Postern.Commands.Operators;

/// <summary><c>postern operator invite</c> and <c>reset</c>: a code by which a person sets a password is printed once.</summary>
internal static class OperatorInviteCommand
{
    public static Command Create(CommandContext context)
    {
        var role = new Option<string?>("--role")
        {
            Description = $"What the person may do: {OperatorCommand.Roles}; owner where there is none yet, else operator",
            HelpName = "ROLE",
        };
        var tenant = OperatorCommand.Tenant();
        var command = new DocumentedCommand(
            "invite",
            "Make a code by which somebody becomes an operator: it counts once, and for 15 minutes",
            "postern operator invite",
            "postern operator invite --role viewer",
            "postern operator invite --role tenant-manager --tenant acme").With(role, tenant, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory => Print(
            context,
            arguments,
            directory,
            directory.Access.Operators.Invite(
                arguments.GetValue(role) ?? (directory.AccessQueries.HasOwner() ? Role.Operator : Role.Owner).Name,
                arguments.GetValue(tenant)))));
        return command;
    }

    public static Command CreateReset(CommandContext context)
    {
        var name = OperatorCommand.Name();
        var command = new DocumentedCommand(
            "reset",
            "Take the password of an operator away, and make a code by which another is set: the way back in",
            "postern operator reset lisa").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory => Print(
            context, arguments, directory, directory.Access.Operators.Reset(arguments.GetRequiredValue(name)))));
        return command;
    }

    private static int Print(CommandContext context, ParseResult arguments, DirectoryAccess directory, AdminOutcome outcome)
    {
        if (outcome is not Invited invited)
            return context.Report(arguments, outcome);
        var console = directory.Configuration.Web.AddressFor(directory.Configuration.Server.Hostname.Text);
        return context.Show(arguments, InvitedDocument.Of(invited, console), ApiJson.Readable.InvitedDocument, terminal =>
        {
            terminal.Line(invited.Message);
            terminal.Line($"code: {invited.Code.Reveal()}");
            if (console is null)
                terminal.Note("There is no console yet where it could be used: set web.listen in the configuration, and reload.");
            else
                terminal.Line($"link: {InvitedDocument.LinkOf(invited, console)}");
            terminal.Note("It is not shown again. Who has it has the role: give it to nobody else.");
        });
    }
}
