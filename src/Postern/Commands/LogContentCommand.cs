using System.CommandLine;
using Postern.Commands.Output;
using Postern.Commands.Queue;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Hosting.Data;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Kept;

namespace Postern.Commands;

/// <summary>
/// <c>postern log content</c>: reads the content of a message that is kept after the end of its delivery, or removes it. Who does is in the
/// log. No server is needed.
/// </summary>
internal static class LogContentCommand
{
    public static Command Create(CommandContext context)
    {
        var message = new Argument<string>("ID") { Description = "The queue id, as in the 250 reply and in the log" };
        var output = new Option<string?>("--output")
        {
            Description = "Write the very octets into this file, which must not exist yet; '-' for standard output",
            HelpName = "FILE",
        };
        var remove = new Option<bool>("--remove") { Description = "Remove the content now, before its time; the log stays" };
        var command = new DocumentedCommand(
            "content",
            "Read the content of a message that is kept after its delivery; the log says who did",
            "postern log content 01JD0K3ZQ8Y6X5V4T3S2R1P0NM",
            "postern log content 01JD0K3ZQ8Y6X5V4T3S2R1P0NM --output message.eml").With(message, output, remove);
        command.Validators.Add(result =>
        {
            if (result.GetResult(output) is { Implicit: false } && result.GetValue(remove))
                result.AddError("--output reads and --remove removes: give one of them");
        });
        command.SetAction(async (arguments, ct) =>
        {
            var text = arguments.GetRequiredValue(message);
            if (!QueueId.TryParse(text, out var id))
                return context.Terminal.Fail($"'{text}' is not a queue id", "Take it from 'postern log mail'.", ExitCode.Usage);
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            await using var audit = configuration.OpenAuditLog(context.Clock);
            var kept = new KeptCommands(new KeptFolder(RelayOptions.KeptDirectory(configuration.Server.Data)), audit, context.Clock);
            if (arguments.GetValue(remove))
                return await RemoveAsync(context.Terminal, kept, id, ct);
            var content = new ContentOutput(
                context.Terminal,
                (to, token) => kept.CopyContentAsync(id, to, DirectoryAccess.ByCommand, token),
                () => NotKept(context.Terminal, id));
            return arguments.GetValue(output) is { } path ? await content.WriteAsync(path, ct) : await content.PrintAsync(ct);
        });
        return command;
    }

    private static async Task<int> RemoveAsync(Terminal terminal, KeptCommands kept, QueueId id, CancellationToken ct)
    {
        if (kept.Find(id) is not { } found || !await kept.RemoveAsync(id, DirectoryAccess.ByCommand, ct))
            return NotKept(terminal, id);
        terminal.Line($"the content of {id} is removed; it was to be kept until {TimeText.Format(found.Until)}");
        return ExitCode.Ok;
    }

    private static int NotKept(Terminal terminal, QueueId id) => terminal.Fail(
        $"the content of {id} is not kept, or no longer",
        $"What became of the message: postern log mail --id {id}");
}
