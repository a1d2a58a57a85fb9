using System.CommandLine;
using Postern.Commands.Output;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Spool;
using Postern.Web.Documents;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue undo</c>: takes back what one command changed, as far as it stands in the log and can be taken back.</summary>
internal static class QueueUndoCommand
{
    /// <summary>Ids in one request, which has a bounded size.</summary>
    private const int Part = 5_000;

    public static bool CanUndo(QueueAction action) => action is QueueAction.Hold or QueueAction.Release or QueueAction.Reroute;

    public static Command Create(CommandContext context)
    {
        var reference = new Argument<string>("REF") { Description = "What the change said, or 'postern log admin' says" };
        var command = new DocumentedCommand(
            "undo",
            "Take back a hold, release or reroute, for the messages that it changed and that are still there",
            "postern queue undo K7M3Q9").With(reference, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            var text = arguments.GetRequiredValue(reference);
            if (!DecisionReference.TryParse(text, out var found))
                return context.Terminal.Fail($"'{text}' is not a reference", "Take it from 'postern log admin'.", ExitCode.Usage);
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            var done = new List<AdminEvent>();
            await foreach (var audit in new AuditSearch(configuration.LogsDirectory).FindAsync(
                new AuditQuery { Kinds = AuditKind.Admin, Ref = found }, ct))
                done.Add((AdminEvent)audit);
            if (done.Count == 0)
                return context.Terminal.Fail($"no change has the reference {found}", "'postern log admin' lists what was changed.");
            var opposites = done.GroupBy(OppositeOf).ToList();
            if (opposites.Exists(static o => o.Key is null))
                return context.Terminal.Fail(
                    $"{done[0].Action} cannot be taken back", "What is removed, returned or redirected has gone its way.");
            if (await context.OpenQueueAsync(arguments, ct) is not { } queue)
                return ExitCode.Usage;
            await using (queue)
            {
                var (matched, changed) = (0, 0);
                foreach (var (action, with, targets) in opposites.Select(static o => (o.Key!.Value.Action, o.Key!.Value.With, o)))
                {
                    foreach (var ids in targets.Select(static e => e.Target).Distinct(StringComparer.Ordinal).Chunk(Part))
                    {
                        var change = await queue.ApplyAsync(action, new QueueFilter { Ids = [.. ids] }, with, ct);
                        (matched, changed) = (matched + change.Matched, changed + change.Changed);
                    }
                }

                return context.Show(
                    arguments,
                    new QueueChange(matched, changed),
                    ApiJson.Readable.QueueChange,
                    terminal => terminal.Line($"undo: {QueueChangeCommand.Messages(matched)} still there, {changed} changed"));
            }
        });
        return command;
    }

    /// <summary>What takes it back; null where nothing does.</summary>
    private static (QueueAction Action, string? With)? OppositeOf(AdminEvent change) => change.Action switch
    {
        "queue hold" => (QueueAction.Release, null),
        "queue release" => (QueueAction.Hold, null),
        "queue reroute" => (QueueAction.Reroute, change.Changes.FirstOrDefault()?.Before),
        _ => null,
    };
}
