using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Web.Documents;

namespace Postern.Commands.Keys;

/// <summary><c>postern key</c>: by which programs use the API.</summary>
internal static class KeyCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "key",
            "Keys by which programs use the API",
            "postern key add shop --scope messages.send --account shop",
            "postern key list").With(KeyAddCommand.Create(context), List(context), Remove(context));

    /// <summary><c>postern key list</c>.</summary>
    private static DocumentedCommand List(CommandContext context)
    {
        var command = new DocumentedCommand(
            "list", "List the keys, and when each was used last; never the keys themselves", "postern key list").With(context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var keys = directory.AccessQueries.Keys();
            return context.Show(arguments, keys, ApiJson.Readable.ImmutableArrayKeyDetails, terminal =>
            {
                var table = new TablePage("key", "label", "may", "as", "tenant", "from", "made by", "expires", "last used");
                foreach (var key in keys)
                    table.Row(
                        key.Id,
                        key.Label,
                        string.Join(' ', key.Scopes),
                        key.Account ?? "-",
                        key.Tenant ?? "-",
                        key.Networks.IsEmpty ? "-" : string.Join(' ', key.Networks),
                        key.CreatedBy,
                        key.Expired ? $"{TimeText.Format(key.ExpiresAt)}, expired" : TimeText.Format(key.ExpiresAt),
                        key.LastUse is { } use
                            ? $"{TimeText.Format(use.At)} from {use.Client}{(use.Agent is { } agent ? $" by {agent}" : string.Empty)}"
                            : "-");
                table.WriteTo(terminal, ifEmpty: "there is no key; to make one: postern key add LABEL --scope SCOPE");
            });
        }));
        return command;
    }

    /// <summary><c>postern key remove</c>.</summary>
    private static DocumentedCommand Remove(CommandContext context)
    {
        var name = new Argument<string>("KEY") { Description = "Its label, or the id behind pst_" };
        var command = new DocumentedCommand("remove", "Make a key useless at once", "postern key remove shop").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(arguments, directory.Access.Keys.Remove(arguments.GetRequiredValue(name)))));
        return command;
    }
}
