using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Web.Documents;

namespace Postern.Commands.Queue;

/// <summary><c>postern queue show</c>.</summary>
internal static class QueueShowCommand
{
    public static Command Create(CommandContext context)
    {
        var message = new Argument<string>("ID") { Description = "The queue id, as in the 250 reply and in the log" };
        var content = new Option<bool>("--content")
        {
            Description = "Also print the message as it is queued; 'queue export' writes its very octets",
        };
        var command = new DocumentedCommand(
            "show",
            "Show one message and what became of each recipient so far",
            "postern queue show 01JD0K3ZQ8Y6X5V4T3S2R1P0NM").With(message, content, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            var text = arguments.GetRequiredValue(message);
            if (!QueueId.TryParse(text, out var id))
                return context.Terminal.Fail($"'{text}' is not a queue id", "Take it from 'postern queue list'.", ExitCode.Usage);
            if (arguments.GetValue(content) && arguments.GetValue(context.Json))
                return context.Terminal.Fail(
                    "--content is for people, --json for programs",
                    $"Say postern queue export {id} --output - for the octets.",
                    ExitCode.Usage);
            if (await context.OpenQueueAsync(arguments, ct) is not { } queue)
                return ExitCode.Usage;
            await using (queue)
            {
                // Without a sound file nobody knows where the log is.
                var configuration = context.FindConfiguration(arguments);
                var json = arguments.GetValue(context.Json);
                var story = json || configuration is null ? [] : await MessageTrace.ReadAsync(configuration.LogsDirectory, id, ct);
                if (await queue.FindAsync(id, ct) is not { } item)
                {
                    if (story.Count > 0)
                        MessageTrace.Print(context.Terminal, story);
                    if (configuration is not null)
                        MessageTrace.PrintKept(context, configuration, id);
                    return context.Terminal.Fail(
                        $"there is no message {id} in the queue",
                        story.Count > 0
                            ? "That is what became of it."
                            : $"It may have been delivered or bounced: postern log mail --id {id}");
                }

                if (json)
                    context.Terminal.Json(item, ApiJson.Readable.QueueItem);
                else
                    Print(context.Terminal, item, story);
                return arguments.GetValue(content) ? await PrintContentAsync(context.Terminal, queue, id, ct) : ExitCode.Ok;
            }
        });
        return command;
    }

    private static Task<int> PrintContentAsync(Terminal terminal, IQueueAdmin queue, QueueId id, CancellationToken ct)
    {
        terminal.Line();
        return new ContentOutput(
            terminal,
            (to, token) => queue.CopyContentAsync(id, to, token),
            () => terminal.Fail($"message {id} has left the queue meanwhile", $"What became of it: postern log mail --ref {id}"))
            .PrintAsync(ct);
    }

    private static void Print(Terminal terminal, QueueItem item, IReadOnlyList<AuditEvent> story)
    {
        var facts = new TablePage("what", "value")
            .Row("id", item.Id)
            .Row("arrived", TimeText.Format(item.ArrivedAt))
            .Row("from", item.Sender.Length == 0 ? "<>" : item.Sender)
            .Row("login", item.Login ?? "-")
            .Row("tenant", item.Tenant ?? "-")
            .Row("client", item.Client ?? "-")
            .Row("listener", item.Listener ?? "-")
            .Row("size", item.Size.ToString(CultureInfo.InvariantCulture))
            .Row("state", item.State)
            .Row("tries", item.Attempts.ToString(CultureInfo.InvariantCulture))
            .Row("next attempt", item.NextAttempt is { } next ? TimeText.Format(next) : "-");
        if (item.WaitsFor is { } why)
            facts.Row("in line", why);
        if (item.EnvelopeId is { } envelopeId)
            facts.Row("envelope id", envelopeId);
        if (item.HoldUntil is { } until)
            facts.Row("hold until", TimeText.Format(until));
        if (item is { HeldRule: { } rule, HeldAt: { } heldAt })
            facts.Row("held by", $"the rule {rule} at {TimeText.Format(heldAt)}: {item.HeldReason}");
        if (item.Via is { } via)
            facts.Row("sent by", $"{via}, in the place of the routes");
        if (item.KeepSeconds is { } seconds)
            facts.Row("content", $"{KeepText.Of(TimeSpan.FromSeconds(seconds))} from the end of the delivery on");
        if (item.ExpandedFrom is { } from)
            facts.Row("expanded from", $"{from}, for {string.Join(", ", item.ExpandedNames ?? [])}");
        if (item.RequiresTls)
            facts.Row("requires", "TLS on every hop");
        if (item.TlsRequiredNo)
            facts.Row("TLS-Required", "No: in clear rather than not at all");
        if (item.DeliverBy is { } by)
            facts.Row("deliver by", $"{TimeText.Format(by)}, else {(item.DeliverByMode == "notify" ? "tell the sender" : "give up")}");
        facts.WriteTo(terminal);
        terminal.Line();
        var isAsked = item.Recipients.Any(static r => r.Notify is not null || r.OriginalRecipient is not null);
        var recipients = isAsked
            ? new TablePage("recipient", "status", "category", "last reply", "notify", "meant for")
            : new TablePage("recipient", "status", "category", "last reply");
        foreach (var recipient in item.Recipients)
        {
            string[] cells = [recipient.Address, recipient.Status, recipient.Category ?? "-", recipient.LastReply ?? "-"];
            recipients.Row(isAsked ? [.. cells, recipient.Notify ?? "-", recipient.OriginalRecipient ?? "-"] : cells);
        }

        recipients.WriteTo(terminal);
        if (story.Count == 0)
            return;
        terminal.Line();
        MessageTrace.Print(terminal, story);
    }
}
