using System.CommandLine;

namespace Postern.Commands.Domains;

/// <summary><c>postern domain remove</c>.</summary>
internal static class DomainRemoveCommand
{
    public static Command Create(CommandContext context)
    {
        var name = DomainCommand.Name();
        var command = new DocumentedCommand("remove", "Remove a domain; not while networks may send for it", "postern domain remove example.org").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory => context.Report(arguments, directory.Commands.RemoveDomain(arguments.GetRequiredValue(name)))));
        return command;
    }
}
