using System.CommandLine;
using Postern.Commands.Output;
using Postern.Hosting.Data;
using Postern.Relay.Envelopes;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue export</c>: one message as a file, octet for octet.</summary>
internal static class QueueExportCommand
{
    private const string StandardOutput = "-";

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
                var path = arguments.GetValue(output) ?? $"{id}.eml";
                return path == StandardOutput
                    ? await PrintAsync(context.Terminal, queue, id, ct)
                    : await SaveAsync(context.Terminal, queue, id, path, ct);
            }
        });
        return command;
    }

    private static int Gone(Terminal terminal, QueueId id) =>
        terminal.Fail($"there is no message {id} in the queue", $"It may have been delivered or bounced: postern log mail --ref {id}");

    private static async Task<int> PrintAsync(Terminal terminal, IQueueAdmin queue, QueueId id, CancellationToken ct) =>
        await queue.CopyContentAsync(id, terminal.Octets, ct) ? ExitCode.Ok : Gone(terminal, id);

    /// <summary>Readable by its owner only, as the queue is; what breaks off leaves no file.</summary>
    private static async Task<int> SaveAsync(Terminal terminal, IQueueAdmin queue, QueueId id, string path, CancellationToken ct)
    {
        const string Elsewhere =
            "Name a file that does not exist, where the owner of the data directory may write; "
                + "or say --output - and let the shell write it.";
        FileStream file;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            file = new FileStream(path, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return terminal.Fail(e.Message, Elsewhere);
        }

        var isWhole = false;
        try
        {
            await using (file)
                isWhole = await queue.CopyContentAsync(id, file, ct);
        }
        finally
        {
            if (!isWhole)
                File.Delete(path);
        }

        if (!isWhole)
            return Gone(terminal, id);
        terminal.Line(path);
        return ExitCode.Ok;
    }
}
