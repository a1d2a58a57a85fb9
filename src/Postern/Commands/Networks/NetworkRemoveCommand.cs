using System.CommandLine;

namespace Postern.Commands.Networks;

/// <summary><c>postern network remove</c>.</summary>
internal static class NetworkRemoveCommand
{
    public static Command Create(CommandContext context)
    {
        var cidr = NetworkCommand.Cidr();
        var domain = new Option<string?>("--domain") { Description = "For this domain only; for every domain unless said", HelpName = "DOMAIN" };
        var command = new DocumentedCommand("remove", "Take the right to send without a password away", "postern network remove 192.0.2.0/24").With(cidr, domain, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments, directory => context.Report(arguments, directory.Commands.RemoveNetwork(arguments.GetRequiredValue(cidr), arguments.GetValue(domain)))));
        return command;
    }
}
