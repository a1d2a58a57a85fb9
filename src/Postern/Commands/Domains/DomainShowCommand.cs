using System.CommandLine;
using Postern.Commands.Output;

namespace Postern.Commands.Domains;

/// <summary><c>postern domain show</c>.</summary>
internal static class DomainShowCommand
{
    public static Command Create(CommandContext context)
    {
        var name = DomainCommand.Name();
        var command = new DocumentedCommand("show", "Show a domain and the networks that may send for it", "postern domain show example.org").With(name, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var wanted = arguments.GetRequiredValue(name);
            if (directory.Queries.Domain(wanted) is not { } domain)
                return context.Report(arguments, directory.Queries.NoSuchDomain(wanted));
            if (arguments.GetValue(context.Json))
            {
                context.Terminal.Json(domain, CommandJson.Readable.DomainDetails);
                return ExitCode.Ok;
            }

            new TablePage("what", "value")
                .Row("domain", domain.Name)
                .Row("recipients accepted", domain.Accepts ? "from anyone" : "no")
                .Row("networks", domain.Networks.IsEmpty ? "-" : string.Join(", ", domain.Networks))
                .WriteTo(context.Terminal);
            return ExitCode.Ok;
        }));
        return command;
    }
}
