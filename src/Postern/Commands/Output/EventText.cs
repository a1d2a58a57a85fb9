using System.Text;
using System.Text.Json;
using Postern.Configuration.Reading;
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
        AuditKind.Admin => ["time", "ref", "who", "action", "target"],
        _ => ["time", "event", "detail"],
    };

    public static string[] Cells(AuditEvent audit) => [TimeText.Format(audit.At), .. audit.ToCells()];
}

/// <summary>Prints events as they stand in the log files, so that there is one spelling of them.</summary>
internal static class EventJson
{
    /// <summary>One document: a list.</summary>
    public static void WriteList(Terminal terminal, IEnumerable<AuditEvent> events) =>
        terminal.Line(Write(json => Each(json, events), isIndented: true));

    /// <summary>One line.</summary>
    public static void WriteLine(Terminal terminal, AuditEvent audit) =>
        terminal.Line(Write(json => AuditEvents.Write(json, audit), isIndented: false));

    /// <summary>One document whose members are lists of events.</summary>
    public static void WriteObject(Terminal terminal, params (string Name, IEnumerable<AuditEvent> Events)[] members) =>
        terminal.Line(Write(
            json =>
            {
                json.WriteStartObject();
                foreach (var (name, events) in members)
                {
                    json.WritePropertyName(name);
                    Each(json, events);
                }

                json.WriteEndObject();
            },
            isIndented: true));

    private static void Each(Utf8JsonWriter json, IEnumerable<AuditEvent> events)
    {
        json.WriteStartArray();
        foreach (var audit in events)
            AuditEvents.Write(json, audit);
        json.WriteEndArray();
    }

    private static string Write(Action<Utf8JsonWriter> write, bool isIndented)
    {
        using var octets = new MemoryStream();
        using (var json = new Utf8JsonWriter(octets, AuditEvents.Options with { Indented = isIndented }))
            write(json);
        return Encoding.UTF8.GetString(octets.GetBuffer(), 0, (int)octets.Length);
    }
}
