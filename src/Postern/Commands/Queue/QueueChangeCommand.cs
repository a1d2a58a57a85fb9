using System.CommandLine;
using Postern.Commands.Output;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Web.Documents;

namespace Postern.Commands.Queue;

/// <summary>
/// <c>postern queue retry</c>, <c>hold</c>, <c>release</c>, <c>remove</c>, <c>bounce</c>, <c>reroute</c> and <c>redirect</c>: by id, or in
/// bulk by filter with the count shown first. What cannot be taken back asks, and without anybody to ask wants <c>--yes</c>.
/// </summary>
internal static class QueueChangeCommand
{
    /// <param name="with">What the action needs beside the messages; null where it needs nothing.</param>
    public static Command Create(
        CommandContext context, QueueAction action, string name, string description, string example, Option<string?>? with = null)
    {
        var ids = new Argument<string[]>("ID") { Description = "Queue ids", Arity = ArgumentArity.ZeroOrMore };
        var filter = new FilterOptions();
        var all = new Option<bool>("--all") { Description = "Every message" };
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var command = new DocumentedCommand(name, description, example).With(
            [ids, .. with is null ? Array.Empty<Symbol>() : [with], .. filter.All, all, yes, context.Json]);
        command.SetAction(async (arguments, ct) =>
        {
            var named = arguments.GetValue(ids) ?? [];
            if (named.FirstOrDefault(static id => id.StartsWith('-')) is { } option)
                return context.Terminal.Fail(
                    $"postern queue {name} has no option '{option}'",
                    $"Run 'postern queue {name} --help' to see what it takes.",
                    ExitCode.Usage);
            if (named.FirstOrDefault(static id => !QueueId.TryParse(id, out _)) is { } wrong)
                return context.Terminal.Fail($"'{wrong}' is not a queue id", "Take it from 'postern queue list'.", ExitCode.Usage);
            var value = with is null ? null : arguments.GetValue(with);
            if (QueueCommands.WhyNot(action, value) is { } unfit)
                return context.Terminal.Fail($"queue {name}: {unfit}", $"Run 'postern queue {name} --help'.", ExitCode.Usage);
            var wanted = filter.Read(arguments, context.Clock.GetUtcNow()) with { Ids = [.. named] };
            if ((wanted.IsEverything && arguments.GetValue(filter.MessageId) is null) != arguments.GetValue(all))
                return context.Terminal.Fail(
                    !arguments.GetValue(all)
                        ? $"queue {name}: no message is named"
                        : $"queue {name}: --all does not go with ids or filters", "Name ids, or a filter such as "
                            + "--to example.com, or --all.", ExitCode.Usage);
            if (await context.OpenQueueAsync(arguments, filter, wanted, ct) is not var (queue, narrowed))
                return ExitCode.Usage;
            await using (queue)
            {
                var change = new Wanted(action, name, narrowed, value);
                if (named.Length == 0 && !arguments.GetValue(yes) && await WhyNotAsync(context.Terminal, queue, change, ct) is { } exit)
                    return exit;
                return await RunAsync(context.Terminal, queue, change, arguments.GetValue(context.Json), ct);
            }
        });
        return command;
    }

    public static string Messages(int count) => count == 1 ? "1 message" : $"{count} messages";

    /// <summary>Shows the count and asks; the exit code where it is not to be done, else null.</summary>
    private static async Task<int?> WhyNotAsync(Terminal terminal, IQueueAdmin queue, Wanted change, CancellationToken ct)
    {
        var isForGood = change.Action is QueueAction.Remove or QueueAction.Bounce or QueueAction.Redirect;
        if (!terminal.CanAsk && !isForGood)
            return null;
        var count = (await queue.ListAsync(change.Filter, limit: 0, after: null, ct)).Total;
        var done = change.Action switch
        {
            QueueAction.Remove => "removed",
            QueueAction.Bounce => "returned to their senders",
            QueueAction.Redirect => $"sent to {change.With}",
            QueueAction.Reroute => $"sent by {change.With ?? "the routes"}",
            QueueAction.Hold => "held",
            QueueAction.Release => "released",
            _ => "tried",
        };
        if (!terminal.CanAsk)
            return terminal.Fail(
                $"{Messages(count)} would be {done}, and there is nobody to ask", $"Say --yes to {change.Name} them.", ExitCode.Usage);
        var question = $"{char.ToUpperInvariant(change.Name[0])}{change.Name[1..]} {Messages(count)}?";
        return count == 0 || terminal.Confirm(question)
            ? null
            : terminal.Fail($"nothing was {done}", "Answer y, or say --yes.");
    }

    private static async Task<int> RunAsync(Terminal terminal, IQueueAdmin queue, Wanted wanted, bool json, CancellationToken ct)
    {
        var change = await queue.ApplyAsync(wanted.Action, wanted.Filter, wanted.With, ct);
        if (json)
        {
            terminal.Json(change, ApiJson.Readable.QueueChange);
        }
        else
        {
            terminal.Line($"{wanted.Name}: {Messages(change.Matched)} met, {change.Changed} changed");
            if (change.Ref is { } reference && QueueUndoCommand.CanUndo(wanted.Action))
                terminal.Note($"to take it back: postern queue undo {reference}");
        }

        return change.Matched > 0 ? ExitCode.Ok : ExitCode.No;
    }

    private sealed record Wanted(QueueAction Action, string Name, QueueFilter Filter, string? With);
}
