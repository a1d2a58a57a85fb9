using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Admin;
using Postern.Web.Documents;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue stats</c>: what waits, by destination.</summary>
internal static class QueueStatsCommand
{
    private const int DefaultLimit = 20;

    public static Command Create(CommandContext context)
    {
        var filter = new FilterOptions();
        var limit = new Option<int>("--limit")
        {
            Description = "At most this many destinations",
            HelpName = "N",
            CustomParser = ParsedArguments.Count,
            DefaultValueFactory = static _ => DefaultLimit,
        };
        var command = new DocumentedCommand(
            "stats",
            "Count what waits, and for whom: domains with the most recipients first",
            "postern queue stats",
            "postern queue stats --older-than 1h --limit 5 --json").With([.. filter.All, limit, context.Json]);
        command.SetAction(async (arguments, ct) =>
        {
            if (await context.OpenQueueAsync(
                arguments, filter, filter.Read(arguments, context.Clock.GetUtcNow()), ct) is not var (queue, wanted))
                return ExitCode.Usage;
            await using (queue)
            {
                var counted = await queue.CountAsync(wanted, arguments.GetValue(limit), ct);
                return context.Show(arguments, counted, ApiJson.Readable.QueueStatistics, terminal => Print(terminal, counted));
            }
        });
        return command;
    }

    private static void Print(Terminal terminal, QueueStatistics counted)
    {
        terminal.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{QueueChangeCommand.Messages(counted.Messages)}, {counted.Octets} octets: {counted.Waiting} waiting, "
                + $"{counted.Deferred} deferred, {counted.Held} held"));
        if (counted.Oldest is not { } oldest)
            return;
        terminal.Line($"the oldest arrived {TimeText.Format(oldest)}");
        terminal.Line();
        var table = new TablePage("domain", "recipients", "deferred", "oldest", "last reply");
        foreach (var place in counted.Destinations)
            table.Row(
                place.IsSuspended ? $"{place.Domain} (suspended)" : place.Domain,
                place.Recipients.ToString(CultureInfo.InvariantCulture),
                place.Deferred.ToString(CultureInfo.InvariantCulture),
                TimeText.Format(place.Oldest),
                place.LastReply ?? "-");
        table.WriteTo(terminal);
        if (counted.MoreDestinations > 0)
            terminal.Line($"and {counted.MoreDestinations.ToString(CultureInfo.InvariantCulture)} domains more");
    }
}
