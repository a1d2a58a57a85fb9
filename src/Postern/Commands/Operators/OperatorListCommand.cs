using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Web.Documents;

namespace Postern.Commands.Operators;

/// <summary><c>postern operator list</c>.</summary>
internal static class OperatorListCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "list", "List the operators, and the codes that wait for somebody", "postern operator list").With(context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var page = directory.AccessQueries.Operators();
            return context.Show(arguments, page, ApiJson.Readable.OperatorPage, terminal =>
            {
                var table = new TablePage("operator", "role", "tenant", "state", "since", "signed in last");
                foreach (var one in page.Operators)
                    table.Row(
                        one.Name,
                        one.Role,
                        one.Tenant ?? "-",
                        !one.Enabled ? "disabled" : one.HasPassword ? "enabled" : "has not set a password yet",
                        TimeText.Format(one.CreatedAt),
                        one.SignedInAt is { } at ? TimeText.Format(at) : "-");
                table.WriteTo(
                    terminal,
                    ifEmpty: "there is no operator, and nobody can use the console; to let in the first: postern operator invite");
                foreach (var one in page.Invitations)
                    terminal.Note(
                        $"a code by {one.CreatedBy} waits until {TimeText.Format(one.ExpiresAt)} for "
                            + (one.Operator ?? (one.Tenant is { } tenant ? $"a new {one.Role} of {tenant}" : $"a new {one.Role}")));
            });
        }));
        return command;
    }
}
