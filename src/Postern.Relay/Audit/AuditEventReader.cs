using System.Text.Json;

namespace Postern.Relay.Audit;

/// <summary>Reads back what <see cref="AuditEventWriter"/> wrote.</summary>
internal static class AuditEventReader
{
    /// <summary>Null when the line is no event: cut off by a crash or a full disk, damaged, or written by a later version.</summary>
    public static AuditEvent? Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static AuditEvent? Read(JsonElement line) => Text(line, "event") switch
    {
        "login" => new AuditEvent.Login(
            At(line), Text(line, "session"), Text(line, "listener"), Text(line, "client"), Text(line, "mechanism"),
            Maybe(line, "user"), Maybe(line, "acting_as"), Text(line, "outcome"), Text(line, "reason"), Maybe(line, "tls")),
        "decision" => new AuditEvent.Decision(
            At(line), Text(line, "ref"), Text(line, "session"), Text(line, "listener"), Text(line, "client"),
            Maybe(line, "helo"), Maybe(line, "user"), Maybe(line, "tls"), Text(line, "stage"), Text(line, "sender"), Maybe(line, "recipient"),
            Text(line, "outcome"), Text(line, "rule"), Maybe(line, "reply"), [.. line.GetProperty("chain").EnumerateArray().Select(Step)]),
        "accepted" => new AuditEvent.Accepted(
            At(line), Text(line, "queue_id"), Text(line, "session"), Text(line, "listener"), Text(line, "client"), Maybe(line, "user"),
            Text(line, "sender"), [.. line.GetProperty("recipients").EnumerateArray().Select(static item => item.GetString()!)],
            line.GetProperty("size").GetInt64(), Maybe(line, "tls")) 
            {
                MoreRecipients = line.TryGetProperty("more_recipients", out var more) ? more.GetInt32() : 0,
                MessageId = Maybe(line, "message_id"),
                HeaderFrom = Maybe(line, "header_from"),
                EnvelopeId = Maybe(line, "envid"),
                Forwarded = Maybe(line, "forwarded"),
            },
        "refused" => new AuditEvent.Refused(
            At(line), Text(line, "session"), Text(line, "listener"), Text(line, "client"), Maybe(line, "user"), Text(line, "verb"), Text(line, "reply")),
        "delivery" => new AuditEvent.Delivery(
            At(line), Text(line, "queue_id"), Text(line, "recipient"), Text(line, "outcome"), line.GetProperty("attempt").GetInt32(),
            Maybe(line, "remote"), Text(line, "reply"), Maybe(line, "tls"),
            line.TryGetProperty("next_attempt", out var next) ? next.GetDateTimeOffset() : null),
        "bounce" => new AuditEvent.Bounce(At(line), Text(line, "queue_id"), Maybe(line, "bounce_id"), Text(line, "to"), Text(line, "reason")),
        "admin" => new AuditEvent.Admin(At(line), Text(line, "actor"), Text(line, "action"), Text(line, "target")),
        "server" => new AuditEvent.Server(At(line), Text(line, "what"), Text(line, "detail")),
        "coalesced" => new AuditEvent.Coalesced(
            At(line), Text(line, "kind"), Maybe(line, "client"), Maybe(line, "user"), Text(line, "what"), Maybe(line, "detail"),
            line.TryGetProperty("code", out var code) ? code.GetInt32() : null, Maybe(line, "ref"), line.GetProperty("count").GetInt64(), line.GetProperty("since").GetDateTimeOffset()),
        _ => null,
    };

    private static RuleStep Step(JsonElement step) => new(Text(step, "rule"), Text(step, "saw"), Text(step, "said"), Maybe(step, "remedy"));

    private static DateTimeOffset At(JsonElement line) => line.GetProperty("at").GetDateTimeOffset();

    private static string Text(JsonElement line, string name) => line.GetProperty(name).GetString() ?? throw new FormatException(name);

    private static string? Maybe(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;
}
