using Postern.Relay.Audit.Events;

namespace Postern.Commands.Output;

/// <summary>Events as rows of a table, one set of columns for each kind. What stands in them is said in each event's file.</summary>
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

    public static string[] Cells(AuditEvent audit) => [TimeText.Format(audit.At), .. audit.ToCells()];
}
