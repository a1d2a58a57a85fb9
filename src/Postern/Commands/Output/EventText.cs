using System.Globalization;
using Postern.Relay.Audit;

namespace Postern.Commands.Output;

/// <summary>Events as rows of a table, one set of columns for each kind.</summary>
internal static class EventText
{
    public static string[] Columns(AuditKind kind) => kind switch
    {
        AuditKind.Auth => ["time", "outcome", "user", "mechanism", "client", "listener", "tls", "reason"],
        AuditKind.Policy => ["time", "ref", "outcome", "rule", "client", "user", "from", "to", "reply"],
        AuditKind.Mail => ["time", "event", "message", "address", "client or host", "what"],
        AuditKind.Admin => ["time", "who", "action", "target"],
        _ => ["time", "event", "detail"],
    };

    public static string[] Cells(AuditEvent audit) => audit switch
    {
        AuditEvent.Login e => [Time(e), e.Outcome, e.ActingAs is null ? e.User ?? "-" : $"{e.User} as {e.ActingAs}", e.Mechanism, e.Client, e.Listener, e.Tls ?? "-", e.Reason],
        AuditEvent.Decision e => [Time(e), e.Ref, e.Outcome, e.Rule, e.Client, e.User ?? "-", Path(e.Sender), e.Recipient ?? "-", e.Reply ?? "-"],
        AuditEvent.Accepted e => [Time(e), "accepted", e.QueueId, Path(e.Sender), e.Client, string.Create(CultureInfo.InvariantCulture, $"{e.Size} octets for {Recipients(e)}{(e.MessageId is null ? null : $", Message-ID {e.MessageId}")}{(e.HeaderFrom is null ? null : $", From {e.HeaderFrom}")}")],
        AuditEvent.Refused e => [Time(e), "refused", "-", e.User ?? "-", e.Client, $"{e.Verb}: {e.Reply}"],
        AuditEvent.Delivery e => [Time(e), e.Outcome, e.QueueId, e.Recipient, e.Remote ?? "-", e.Reply],
        AuditEvent.Bounce e => [Time(e), e.BounceId is null ? "no bounce" : "bounce", e.QueueId, Path(e.To), "-", e.BounceId is null ? e.Reason : $"{e.BounceId}: {e.Reason}"],
        AuditEvent.Admin e => [Time(e), e.Actor, e.Action, e.Target],
        AuditEvent.Server e => [Time(e), e.Event, e.Detail],
        AuditEvent.Coalesced { Kind: "auth" } e => [Time(e), "coalesced", e.User ?? e.Detail ?? "-", "-", e.Client ?? "-", "-", "-", Repeats(e)],
        AuditEvent.Coalesced { Kind: "policy" } e => [Time(e), e.Ref ?? "-", "coalesced", e.Detail ?? "-", e.Client ?? "-", e.User ?? "-", "-", "-", Repeats(e)],
        AuditEvent.Coalesced { Kind: "mail" } e => [Time(e), "coalesced", "-", e.User ?? "-", e.Client ?? "-", Repeats(e)],
        AuditEvent.Coalesced e => [Time(e), "coalesced", Repeats(e)],
        _ => [Time(audit)],
    };

    /// <summary>What was counted and not written, in a sentence.</summary>
    public static string Repeats(AuditEvent.Coalesced e) => string.Create(
        CultureInfo.InvariantCulture,
        $"{e.Count} more like it ({string.Join(' ', new[] { e.What, e.Detail, e.Code?.ToString(CultureInfo.InvariantCulture) }.OfType<string>())}) from {e.Client ?? "many places"} since {TimeText.Format(e.Since)}");

    private static string Recipients(AuditEvent.Accepted accepted) =>
        accepted.Recipients.Length + accepted.MoreRecipients == 1 ? accepted.Recipients[0] : $"{accepted.Recipients[0]} and {accepted.Recipients.Length + accepted.MoreRecipients - 1} more";

    private static string Path(string address) => address.Length == 0 ? "<>" : address;

    private static string Time(AuditEvent audit) => TimeText.Format(audit.At);
}
