using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Envelopes;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue export</c>: one message as a file, octet for octet.</summary>
internal static class QueueExportCommand
{
    public static Command Create(CommandContext context)
    {
        var message = new Argument<string>("ID") { Description = "The queue id, as in the 250 reply and in the log" };
        var output = new Option<string?>("--output")
        {
            Description = "The file, which must not exist yet; '-' for standard output. Left out: ID.eml here",
            HelpName = "FILE",
        };
        var command = new DocumentedCommand(
            "export",
            "Write one message as it is queued into a file",
            "postern queue export 01JD0K3ZQ8Y6X5V4T3S2R1P0NM",
            "postern queue export 01JD0K3ZQ8Y6X5V4T3S2R1P0NM --output -").With(message, output);
        command.SetAction(async (arguments, ct) =>
        {
            var text = arguments.GetRequiredValue(message);
            if (!QueueId.TryParse(text, out var id))
                return context.Terminal.Fail($"'{text}' is not a queue id", "Take it from 'postern queue list'.", ExitCode.Usage);
            if (await context.OpenQueueAsync(arguments, ct) is not { } queue)
                return ExitCode.Usage;
            await using (queue)
            {
                if (await queue.FindAsync(id, ct) is null)
                    return Gone(context.Terminal, id);
                var content = new ContentOutput(
                    context.Terminal, (to, token) => queue.CopyContentAsync(id, to, token), () => Gone(context.Terminal, id));
                return await content.WriteAsync(arguments.GetValue(output) ?? $"{id}.eml", ct);
            }
        });
        return command;
    }

    private static int Gone(Terminal terminal, QueueId id) =>
        terminal.Fail($"there is no message {id} in the queue", $"It may have been delivered or bounced: postern log mail --ref {id}");
}
