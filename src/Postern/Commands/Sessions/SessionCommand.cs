using System.CommandLine;
using System.Net;
using Postern.Relay.Admin;

namespace Postern.Commands.Sessions;

/// <summary><c>postern session</c>: who is connected to the running server.</summary>
internal static class SessionCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "session",
            "Open sessions of the running server",
            "postern session list --login lisa@example.org",
            "postern session end --client 192.0.2.7").With(
            SessionListCommand.Create(context), SessionEndCommand.Create(context));

    public static Option<string?> Login() =>
        new("--login") { Description = "Logged in as this account, or by it on behalf of another", HelpName = "ACCOUNT" };

    public static Option<IPNetwork?> Client() =>
        new("--client") { Description = "From this address or network", HelpName = "ADDRESS", CustomParser = ParsedArguments.Network };

    public static SessionFilter Filter(ParseResult arguments, Option<string?> login, Option<IPNetwork?> client) =>
        new() { Login = arguments.GetValue(login), Client = arguments.GetValue(client)?.ToString() };
}
