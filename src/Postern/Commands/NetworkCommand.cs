using System.CommandLine;
using Postern.Commands.Output;
using Postern.Web.Documents;

namespace Postern.Commands;

/// <summary><c>postern network</c>: clients that may send for a domain without a password.</summary>
internal static class NetworkCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "network",
            "Clients that may send for a domain without a password",
            "postern network add 192.0.2.0/24 --domain example.org").With(
            Add(context), List(context), Remove(context));

    private static Argument<string> Cidr() =>
        new("CIDR") { Description = "A network such as 192.0.2.0/24 or 2001:db8::/32, or one address" };

    /// <summary><c>postern network add</c>.</summary>
    private static Command Add(CommandContext context)
    {
        var cidr = Cidr();
        var domain = new Option<string>("--domain")
        {
            Description = "The sender domain; it must have been added before",
            HelpName = "DOMAIN",
            Required = true,
        };
        var command = new DocumentedCommand(
            "add",
            "Let clients send for a domain without a password",
            "postern network add 192.0.2.7 --domain example.org").With(cidr, domain, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(
                arguments, directory.Commands.Networks.Add(arguments.GetRequiredValue(cidr), arguments.GetRequiredValue(domain)))));
        return command;
    }

    /// <summary><c>postern network list</c>.</summary>
    private static Command List(CommandContext context)
    {
        var command = new DocumentedCommand("list", "List networks", "postern network list").With(context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(arguments, directory =>
        {
            var networks = directory.Queries.Networks();
            return context.Show(arguments, networks, ApiJson.Readable.ImmutableArrayNetworkDetails, terminal =>
            {
                var table = new TablePage("network", "may send for");
                foreach (var network in networks)
                    table.Row(network.Cidr, network.Domain);
                table.WriteTo(terminal, ifEmpty: "no networks: every client must log in");
            });
        }));
        return command;
    }

    /// <summary><c>postern network remove</c>.</summary>
    private static Command Remove(CommandContext context)
    {
        var cidr = Cidr();
        var domain = new Option<string?>("--domain")
        {
            Description = "For this domain only; for every domain unless said",
            HelpName = "DOMAIN",
        };
        var command = new DocumentedCommand(
            "remove",
            "Take the right to send without a password away",
            "postern network remove 192.0.2.0/24").With(cidr, domain, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments,
            directory => context.Report(
                arguments, directory.Commands.Networks.Remove(arguments.GetRequiredValue(cidr), arguments.GetValue(domain)))));
        return command;
    }
}
