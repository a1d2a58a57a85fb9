using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Web.Documents;

namespace Postern.Commands.Auth;

/// <summary><c>postern auth blocks</c>: who is slowed or paused, and why.</summary>
internal static class AuthBlocksCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "blocks", "Whose logins are slowed or paused, and why", "postern auth blocks", "postern auth blocks --json").With(context.Json);
        command.SetAction((arguments, ct) => context.AskServerAsync(arguments, async client =>
        {
            var blocks = await client.BlocksAsync(target: null, ct);
            return context.Show(arguments, blocks, ApiJson.Readable.ImmutableArrayLoginBlock, terminal =>
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
        }, ct));
        return command;
    }
}
