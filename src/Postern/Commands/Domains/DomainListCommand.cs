using System.CommandLine;
using Postern.Commands.Output;

namespace Postern.Commands.Domains;

/// <summary><c>postern domain list</c>.</summary>
internal static class DomainListCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand("list", "List domains", "postern domain list --json").With(context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var domains = directory.Queries.Domains();
            if (arguments.GetValue(context.Json))
            {
                context.Terminal.Json(domains, CommandJson.Readable.ImmutableArrayDomainDetails);
                return ExitCode.Ok;
            }

            var table = new TablePage("domain", "recipients accepted", "networks that may send for it");
            foreach (var domain in domains)
                table.Row(domain.Name, domain.Accepts ? "from anyone" : "no", domain.Networks.IsEmpty ? "-" : string.Join(", ", domain.Networks));
            table.WriteTo(context.Terminal, ifEmpty: "no domains; to add one: postern domain add DOMAIN");
            return ExitCode.Ok;
        }));
        return command;
    }
}
