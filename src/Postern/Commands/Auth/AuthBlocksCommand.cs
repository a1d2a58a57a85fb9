using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Hosting.Control;
using Postern.Hosting.Data;

namespace Postern.Commands.Auth;

/// <summary><c>postern auth blocks</c>: who is slowed or paused, and why.</summary>
internal static class AuthBlocksCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "blocks", "Whose logins are slowed or paused, and why", "postern auth blocks", "postern auth blocks --json").With(context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            await using var client = await ControlClient.ConnectAsync(DataDirectory.ControlSocket(configuration.Server.Data), ct);
            if (client is null)
                return context.Terminal.Fail($"no server is running on {configuration.Server.Data}", "Start it: postern serve");
            var blocks = await client.BlocksAsync(ct);
            return context.Show(arguments, blocks, CommandJson.Readable.ImmutableArrayLoginBlock, terminal =>
            {
                var table = new TablePage("who", "state", "wrong", "budget", "calm at");
                foreach (var block in blocks)
                    table.Row(
                        block.Who,
                        block.State,
                        block.Wrong.ToString(CultureInfo.InvariantCulture),
                        block.Budget,
                        TimeText.Format(block.CalmAt));
                table.WriteTo(terminal, ifEmpty: "no login is slowed");
            });
        });
        return command;
    }
}
