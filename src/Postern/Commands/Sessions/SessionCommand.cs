using System.CommandLine;
using System.Net;
using Postern.Commands.Output;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
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

    /// <summary>Sessions are the running server's only: without one there is nothing to show.</summary>
    public static async Task<int> AskAsync(
        CommandContext context, ParseResult arguments, Func<ControlClient, Task<int>> ask, CancellationToken ct)
    {
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        await using var client = await ControlClient.ConnectAsync(DataDirectory.ControlSocket(configuration.Server.Data), ct);
        return client is null
            ? context.Terminal.Fail($"no server is running on {configuration.Server.Data}", "Start it: postern serve")
            : await ask(client);
    }
}
