using System.CommandLine;
using Postern.Commands.Output;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Commands.Queue;

/// <summary>
/// <c>postern queue retry</c>, <c>hold</c>, <c>release</c> and <c>remove</c>: by id, or in bulk by filter with the count shown first.
/// </summary>
internal static class QueueChangeCommand
{
    public static Command Create(CommandContext context, QueueAction action, string name, string description, string example)
    {
        var ids = new Argument<string[]>("ID") { Description = "Queue ids", Arity = ArgumentArity.ZeroOrMore };
        var filter = new FilterOptions();
        var all = new Option<bool>("--all") { Description = "Every message" };
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var command = new DocumentedCommand(name, description, example).With(
            [ids, .. filter.All, all, .. action == QueueAction.Remove ? [yes] : Array.Empty<Symbol>(), context.Json]);
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
                var mayAsk = action == QueueAction.Remove && named.Length == 0 && !arguments.GetValue(yes);
                return await RunAsync(context.Terminal, queue, action, name, narrowed, mayAsk, arguments.GetValue(context.Json), ct);
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(
        Terminal terminal,
        IQueueAdmin queue,
        QueueAction action,
        string name,
        QueueFilter wanted,
        bool mayAsk,
        bool json,
        CancellationToken ct)
    {
        if (mayAsk)
        {
            var count = (await queue.ListAsync(wanted, limit: 0, after: null, ct)).Total;
            if (!terminal.CanAsk)
                return terminal.Fail(
                    $"{Messages(count)} would be removed, and there is nobody to ask", "Say --yes to remove them.", ExitCode.Usage);
            if (count > 0 && !terminal.Confirm($"Remove {Messages(count)}?"))
                return terminal.Fail("nothing was removed", "Answer y, or say --yes.");
        }

        var change = await queue.ApplyAsync(action, wanted, ct);
        if (json)
            terminal.Json(change, CommandJson.Readable.QueueChange);
        else
            terminal.Line($"{name}: {Messages(change.Matched)} met, {change.Changed} changed");
        return change.Matched > 0 ? ExitCode.Ok : ExitCode.No;
    }

    private static string Messages(int count) => count == 1 ? "1 message" : $"{count} messages";
}
