using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Admin;
using Postern.Relay.Envelopes;
using Postern.Web.Documents;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue list</c>.</summary>
internal static class QueueListCommand
{
    private const int DefaultLimit = 100;

    public static Command Create(CommandContext context)
    {
        var filter = new FilterOptions();
        var limit = new Option<int>("--limit")
        {
            Description = "At most this many messages",
            HelpName = "N",
            CustomParser = ParsedArguments.Count,
            DefaultValueFactory = static _ => DefaultLimit,
        };
        var after = new Option<string?>("--after") { Description = "Begin behind this message, for the next page", HelpName = "ID" };
        var command = new DocumentedCommand(
            "list",
            "List messages, oldest first",
            "postern queue list",
            "postern queue list --older-than 1d --json").With([.. filter.All, limit, after, context.Json]);
        command.SetAction(async (arguments, ct) =>
        {
            if (arguments.GetValue(after) is { } text && !QueueId.TryParse(text, out _))
                return context.Terminal.Fail(
                    $"'{text}' is not a queue id", "Take it from the last line of the page before.", ExitCode.Usage);
            if (await context.OpenQueueAsync(
                arguments, filter, filter.Read(arguments, context.Clock.GetUtcNow()), ct) is not var (queue, wanted))
                return ExitCode.Usage;
            await using (queue)
            {
                var from = QueueId.TryParse(arguments.GetValue(after), out var id) ? id : (QueueId?)null;
                var page = await queue.ListAsync(wanted, arguments.GetValue(limit), from, ct);
                if (arguments.GetValue(context.Json))
                    context.Terminal.Json(page, ApiJson.Readable.QueuePage);
                else
                    Print(context.Terminal, page);
                return ExitCode.Ok;
            }
        });
        return command;
    }

    private static void Print(Terminal terminal, QueuePage page)
    {
        if (page.Items.IsEmpty)
        {
            terminal.Line("no messages");
            return;
        }

        var table = new TablePage("id", "arrived", "size", "state", "tries", "next", "from", "to", "last reply");
        foreach (var item in page.Items)
        {
            table.Row(
                item.Id,
                TimeText.Format(item.ArrivedAt),
                item.Size.ToString(CultureInfo.InvariantCulture),
                item.State,
                item.Attempts.ToString(CultureInfo.InvariantCulture),
                item.NextAttempt is { } next ? TimeText.Format(next) : "-",
                item.Sender.Length == 0 ? "<>" : item.Sender,
                QueueLines.ToOf(item),
                QueueLines.ReasonOf(item));
        }

        if (table.Fits(terminal))
            table.WriteTo(terminal);
        else
            QueueLines.Write(terminal, page.Items);
        terminal.Line(page.Total == page.Items.Length
            ? string.Create(CultureInfo.InvariantCulture, $"{page.Total} in all")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{page.Items.Length} shown, {page.Total} in all; the next page: --after {page.Items[^1].Id}"));
    }
}
