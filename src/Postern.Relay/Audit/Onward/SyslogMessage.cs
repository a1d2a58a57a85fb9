using System.Buffers;
using System.Globalization;
using System.Text;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// An event as a syslog message (RFC 5424 §6): the text is the line that the files have, the id of the message the kind of event.
/// </summary>
internal static class SyslogMessage
{
    /// <summary>Facilities and severities: RFC 5424 §6.2.1.</summary>
    private const int Mail = 2;

    private const int AuthPriv = 10;

    private const int Warning = 4;
    private const int Notice = 5;
    private const int Informational = 6;

    public static void Write(IBufferWriter<byte> message, LogLine line, string hostname)
    {
        var audit = line.Audit;
        Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"<{(FacilityOf(audit) * 8) + SeverityOf(audit)}>1 {audit.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'} {hostname} "
                    + $"postern {Environment.ProcessId} {audit.Name} - "),
            message);
        message.Write(line.Text.Span);
    }

    public static int FacilityOf(AuditEvent audit) => audit.Kind == AuditKind.Auth ? AuthPriv : Mail;

    public static int SeverityOf(AuditEvent audit) => audit.Traits.Outcome switch
    {
        null or "ok" or "permit" or "accepted" or "delivered" => Informational,
        "deferred" => Notice,
        _ => Warning,
    };
}
