using System.CommandLine;
using Postern.Commands.Output;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Web.Documents;

namespace Postern.Commands;

/// <summary>
/// <c>postern reload</c>: the running server goes by the changed configuration, and says what that changes; or it goes on as before, and
/// says why.
/// </summary>
internal static class ReloadCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "reload",
            "Let the running server take the changed configuration; print what changed, what was kept and what closes. "
                + "Exit 2 when it holds a mistake: then nothing changes",
            "postern reload",
            "postern reload --json").With(context.Json);
        command.SetAction((arguments, ct) => RunAsync(context, arguments, ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, ParseResult arguments, CancellationToken ct)
    {
        // A file with mistakes is refused by the server, which writes down why: so it is asked all the same.
        if (context.FindData(arguments) is not { } data)
            return ExitCode.Usage;
        await using var client = await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct);
        if (client is null)
        {
            return context.ReadConfiguration(arguments) is null
                ? ExitCode.Usage
                : context.Terminal.Fail($"no server is running on {data}", "Start it: postern serve");
        }

        var report = await client.ReloadAsync(ct);
        if (arguments.GetValue(context.Json))
            context.Terminal.Json(report, ApiJson.Readable.ReloadReport);
        else
            Print(context.Terminal, report);
        return report.Errors.IsEmpty ? ExitCode.Ok : ExitCode.Usage;
    }

    private static void Print(Terminal terminal, ReloadReport report)
    {
        foreach (var error in report.Errors)
            terminal.Note(error);
        if (!report.Errors.IsEmpty)
            terminal.Note("nothing was changed");
        else if (report.Before == report.After)
            terminal.Line($"nothing has changed: {report.After} ({report.Source})");
        else
            terminal.Line($"{report.Before} -> {report.After} ({report.Source})");
        foreach (var line in report.Lines)
            terminal.Line($"  {line}");
    }
}
