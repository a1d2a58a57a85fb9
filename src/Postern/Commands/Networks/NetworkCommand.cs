using System.CommandLine;

namespace Postern.Commands.Networks;

/// <summary><c>postern network</c>: clients that may send for a domain without a password.</summary>
internal static class NetworkCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand("network", "Clients that may send for a domain without a password", "postern network add 192.0.2.0/24 --domain example.org").With(
            NetworkAddCommand.Create(context), NetworkListCommand.Create(context), NetworkRemoveCommand.Create(context));

    public static Argument<string> Cidr() => new("CIDR") { Description = "A network such as 192.0.2.0/24 or 2001:db8::/32, or one address" };
}
