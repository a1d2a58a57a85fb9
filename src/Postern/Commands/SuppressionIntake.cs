using System.CommandLine;
using Postern.Commands.Output;
using Postern.Hosting.Data;
using Postern.Relay.Accounts;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Commands;

/// <summary>
/// <c>postern suppression intake</c>: reads a complaint (RFC 5965) and keeps further mail from who complained. It is meant for a route that
/// hands the mail of an address to a command, so its exit codes are those of sysexits.
/// </summary>
internal static class SuppressionIntake
{
    private const int DataError = 65;
    private const int TryLater = 75;

    public static Command Create(CommandContext context)
    {
        var lasts = SuppressionCommand.Lasts();
        var command = new DocumentedCommand(
            "intake",
            "Read a complaint (ARF) from standard input, and keep mail from who complained",
            "postern suppression intake < complaint.eml").With(lasts, context.Json);
        command.SetAction((arguments, ct) => RunAsync(context, arguments, arguments.GetValue(lasts), ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, ParseResult arguments, TimeSpan? lasts, CancellationToken ct)
    {
        var buffer = new char[FeedbackReport.MostLength];
        var length = await context.Terminal.Input.ReadBlockAsync(buffer, ct);
        if (FeedbackReport.Read(new string(buffer, 0, length)) is not { } report)
            return context.Terminal.Fail("this is no feedback report (RFC 5965)", "give a whole message, with its header", DataError);
        try
        {
            return await context.WithDirectoryAsync(arguments, directory => TakeAsync(context, arguments, directory, report, lasts, ct));
        }
        catch (DirectoryUnavailableException e)
        {
            return context.Terminal.Fail(e.Message, "it is tried again", TryLater);
        }
    }

    private static async ValueTask<int> TakeAsync(
        CommandContext context,
        ParseResult arguments,
        DirectoryAccess directory,
        FeedbackReport report,
        TimeSpan? lasts,
        CancellationToken ct)
    {
        var search = new AuditSearch(directory.Configuration.LogsDirectory);
        foreach (var id in report.Messages)
        {
            var query = new AuditQuery { Kinds = AuditKind.Mail, QueueId = id.ToString() };
            var accepted = await search.FindAsync(query, ct).OfType<AcceptedEvent>().FirstOrDefaultAsync(ct);
            if (accepted is null)
                continue;
            var complainers = accepted.Recipients
                .Where(to => accepted.Recipients.Length == 1 || report.Recipients.Contains(to, StringComparer.OrdinalIgnoreCase))
                .ToList();
            if (complainers.Count == 0)
                return context.Terminal.Fail(
                    $"message {id} had {accepted.Recipients.Length} recipients, and the report does not say which of them complained",
                    $"postern log mail --ref {id}",
                    DataError);
            var code = ExitCode.Ok;
            foreach (var to in complainers)
            {
                var reason = $"complaint ({report.Type}) about {id}";
                var outcome = directory.Commands.Suppressions.Add(to, accepted.Origin.Tenant, reason, lasts);
                code = Math.Max(code, context.Report(arguments, outcome));
            }

            return code;
        }

        return context.Terminal.Fail(
            "the report is about no message that the log knows",
            "a copy of the message's header, with its Received fields, must be in it",
            DataError);
    }
}
