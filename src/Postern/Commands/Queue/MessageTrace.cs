using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Kept;

namespace Postern.Commands.Queue;

/// <summary>
/// Everything that was written down of one message, oldest first: how it came, each attempt, what operators did, how it ended.
/// </summary>
internal static class MessageTrace
{
    /// <summary>More is told by <c>postern log mail --id</c>.</summary>
    private const int Most = 1_000;

    /// <param name="logs">The directory of the log.</param>
    public static async ValueTask<IReadOnlyList<AuditEvent>> ReadAsync(string logs, QueueId id, CancellationToken ct)
    {
        var found = new List<AuditEvent>();
        var query = new AuditQuery
        {
            Kinds = AuditKind.Mail | AuditKind.Admin | AuditKind.Server, QueueId = id.ToString(), Limit = Most,
        };
        await foreach (var audit in new AuditSearch(logs).FindAsync(query, ct))
            found.Add(audit);
        found.Reverse();
        // The files of each kind are in order by themselves.
        return [.. found.OrderBy(static audit => audit.At).ThenBy(static audit => audit.Kind)];
    }

    public static void Print(Terminal terminal, IReadOnlyList<AuditEvent> events)
    {
        var table = new TablePage("time", "what", "recipient", "try", "host", "tls", "phase", "cause", "what was said", "next");
        foreach (var audit in events)
            table.Row([TimeText.Format(audit.At), .. Cells(audit)]);
        table.WriteTo(terminal);
    }

    /// <summary>Says until when the content of a message is kept whose delivery is over; nothing where it is not.</summary>
    public static void PrintKept(CommandContext context, PosternConfiguration configuration, QueueId id)
    {
        var folder = new KeptFolder(RelayOptions.KeptDirectory(configuration.Server.Data));
        if (folder.Find(id, context.Clock.GetUtcNow()) is { } kept)
            context.Terminal.Line($"content is kept until {TimeText.Format(kept.Until)}: postern log content {id}");
    }

    private static string[] Cells(AuditEvent audit) => audit switch
    {
        DeliveryEvent delivery =>
        [
            EventWord.Of(delivery.Outcome),
            delivery.Recipient,
            delivery.Attempt.ToString(CultureInfo.InvariantCulture),
            delivery.Remote ?? "-",
            delivery.Tls is { } tls ? $"{tls} {delivery.TlsTrust}" : "-",
            delivery.Phase ?? "-",
            delivery.Category ?? "-",
            delivery.Reply
                + (delivery.SignedBy is { } keys ? $" (signed by {keys})" : null)
                + (delivery.SentAs is { } sender ? $" (sent as {sender})" : null),
            delivery.NextAttempt is { } next ? TimeText.Format(next) : "-",
        ],
        AcceptedEvent accepted =>
        [
            accepted.Name, "-", "-", accepted.Client, accepted.Tls ?? "-", "-", "-",
            string.Create(
                CultureInfo.InvariantCulture,
                $"from {(accepted.Sender.Length == 0 ? "<>" : accepted.Sender)}, {accepted.Size} octets, "
                    + $"{(accepted.ExpandedFrom is { } origin
                        ? $"expanded from {origin}"
                        : $"listener {accepted.Listener}, login {accepted.User ?? "-"}")}"),
            "-",
        ],
        BounceEvent bounce =>
        [
            bounce.BounceId is null ? "no report" : "report", bounce.To.Length == 0 ? "<>" : bounce.To, "-", "-", "-", "-", "-",
            bounce.BounceId is null ? bounce.Reason : $"{bounce.BounceId}: {bounce.Reason}", "-",
        ],
        ExpandedEvent expanded => [expanded.Name, expanded.ToCells()[2], "-", "-", "-", "-", "-", expanded.ToCells()[^1], "-"],
        AdminEvent admin => [admin.Action, "-", "-", "-", "-", "-", "-", string.Join(' ', admin.ToCells()[0], Changes(admin)), "-"],
        _ => [audit.Name, "-", "-", "-", "-", "-", "-", string.Join(' ', audit.ToCells()), "-"],
    };

    private static string Changes(AdminEvent admin) =>
        string.Join("; ", admin.Changes.Select(static c => $"{c.Field}: {c.Before ?? "-"} to {c.After ?? "-"}"));
}
