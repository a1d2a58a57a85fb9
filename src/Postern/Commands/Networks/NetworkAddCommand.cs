using System.CommandLine;

namespace Postern.Commands.Networks;

/// <summary><c>postern network add</c>.</summary>
internal static class NetworkAddCommand
{
    public static Command Create(CommandContext context)
    {
        var cidr = NetworkCommand.Cidr();
        var domain = new Option<string>("--domain") { Description = "The sender domain; it must have been added before", HelpName = "DOMAIN", Required = true };
        var command = new DocumentedCommand("add", "Let clients send for a domain without a password", "postern network add 192.0.2.7 --domain example.org").With(cidr, domain, context.Json);
        command.SetAction(arguments => context.WithDirectoryAsync(
            arguments, directory => context.Report(arguments, directory.Commands.AddNetwork(arguments.GetRequiredValue(cidr), arguments.GetRequiredValue(domain)))));
        return command;
    }
}
