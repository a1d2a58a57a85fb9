using System.CommandLine;
using Postern.Commands.Output;

namespace Postern.Commands.Networks;

/// <summary><c>postern network list</c>.</summary>
internal static class NetworkListCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand("list", "List networks", "postern network list").With(context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var networks = directory.Queries.Networks();
            if (arguments.GetValue(context.Json))
            {
                context.Terminal.Json(networks, CommandJson.Readable.ImmutableArrayNetworkDetails);
                return ExitCode.Ok;
            }

            var table = new TablePage("network", "may send for");
            foreach (var network in networks)
                table.Row(network.Cidr, network.Domain);
            table.WriteTo(context.Terminal, ifEmpty: "no networks: every client must log in");
            return ExitCode.Ok;
        }));
        return command;
    }
}
