using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Hosting.Data;

namespace Postern.Commands;

/// <summary><c>postern backup</c>: a copy of what a server keeps, while it runs or not.</summary>
internal static class BackupCommand
{
    public static Command Create(CommandContext context)
    {
        var to = new Argument<string>("TO") { Description = "A directory that does not exist yet" };
        var withoutQueue = new Option<bool>("--without-queue") { Description = "Leave the messages out" };
        var withKept = new Option<bool>("--with-kept")
        {
            Description = "Copy content that is kept after the delivery, too; nobody removes it from the copy at its time",
        };
        var command = new DocumentedCommand(
            "backup",
            "Copy configuration, accounts and queue, while the server runs or not",
            "postern backup backups/monday",
            "postern backup backups/accounts --without-queue",
            "postern backup backups/all --with-kept")
            .With(to, withoutQueue, withKept, context.Json);
        command.SetAction((arguments, ct) => RunAsync(
            context,
            arguments,
            arguments.GetRequiredValue(to),
            (arguments.GetValue(withoutQueue) ? BackupParts.None : BackupParts.Queue)
                | (arguments.GetValue(withKept) ? BackupParts.Kept : BackupParts.None),
            ct));
        return command;
    }

    private static async Task<int> RunAsync(
        CommandContext context, ParseResult arguments, string to, BackupParts parts, CancellationToken ct)
    {
        var terminal = context.Terminal;
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        if (!Directory.Exists(configuration.Server.Data))
            return terminal.Fail(
                $"there is no data directory {configuration.Server.Data}",
                "See server.data in the configuration; a server that never ran has nothing to back up.");
        if (Path.Exists(to))
            return terminal.Fail($"{to} is there already", "Nothing was copied. Name a directory that does not exist.", ExitCode.Usage);

        var backup = await DataBackup.MakeAsync(configuration, to, parts, context.Clock, ct);
        if (arguments.GetValue(context.Json))
            terminal.Json(
                new BackupDocument(
                    backup.Directory, backup.Segments ?? 0, backup.Messages, [.. backup.Damage.Select(static d => d.Reason)])
                {
                    Dropped = backup.Dropped, Kept = backup.Kept,
                },
                CommandJson.Readable.BackupDocument);
        else
            Print(terminal, backup, to, parts);
        return backup.Damage.IsEmpty ? ExitCode.Ok
            : terminal.Fail(
                string.Create(
                    CultureInfo.InvariantCulture, $"{backup.Damage.Length} stretches of the queue cannot be read; the rest is in {to}"),
                $"The originals are in {configuration.Server.Data}: keep them. What was damaged is in data/spool/quarantine of the copy.");
    }

    private static void Print(Terminal terminal, DataBackup backup, string to, BackupParts parts)
    {
        var queue = backup.Segments is { } segments
            ? string.Create(CultureInfo.InvariantCulture, $"{backup.Messages} messages in {segments} segments, each read and checked")
            : parts.HasFlag(BackupParts.Queue) ? "no queue, for there is none" : "no queue, as asked";
        terminal.Line($"{to}: configuration, accounts, and {queue}");
        if (backup.Dropped > 0)
            terminal.Line(
                string.Create(CultureInfo.InvariantCulture, $"{backup.Dropped} messages of this machine that were not queued yet"));
        if (backup.Kept is { } kept)
            terminal.Line(string.Create(
                CultureInfo.InvariantCulture, $"the content of {kept} messages that is kept: nobody removes it there at its time"));
        terminal.Line(
            "Not in it: the logs, and files elsewhere that the configuration names (certificates, keys, password files, secrets).");
    }
}
