using System.CommandLine;

namespace Postern.Commands.Domains;

/// <summary><c>postern domain add</c>.</summary>
internal static class DomainAddCommand
{
    public static Command Create(CommandContext context)
    {
        var name = DomainCommand.Name();
        var accept = new Option<bool>("--accept") { Description = "Accept its recipients from anyone" };
        var command = new DocumentedCommand("add", "Add a sender domain", "postern domain add example.org").With(name, accept, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments, directory => context.Report(arguments, directory.Commands.AddDomain(arguments.GetRequiredValue(name), arguments.GetValue(accept)))));
        return command;
    }
}
