using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace Postern.Relay.Audit.Events;

/// <summary>The kinds of events, and how one becomes a line and a line one again.</summary>
public static class AuditEvents
{
    /// <summary>
    /// Octets of one text as it is written, with its escapes; a longer one is cut: what a client or a next hop sends must not fill the
    /// disk.
    /// </summary>
    public const int MostOctets = 1_024;

    /// <summary>Recipients of a message that are named; the others are counted.</summary>
    public const int MostRecipients = 100;

    /// <summary>Every kind of event there is. A new one is one file here and one line in this list.</summary>
    internal static ImmutableArray<EventType> All { get; } =
    [
        LoginEvent.Type,
        DecisionEvent.Type,
        AcceptedEvent.Type,
        RefusedEvent.Type,
        DeliveryEvent.Type,
        DeferralsEvent.Type,
        ExpandedEvent.Type,
        BounceEvent.Type,
        AdminEvent.Type,
        ServerEvent.Type,
        LimitEvent.Type,
        CoalescedEvent.Type,
    ];

    private static readonly FrozenDictionary<string, EventType> ByName = All.ToFrozenDictionary(
        static type => type.Name, StringComparer.Ordinal);

    public static JsonWriterOptions Options { get; } = new() { Encoder = AuditEncoder.Instance, SkipValidation = true };

    /// <summary>
    /// Writes an event as one JSON object. <c>at</c> comes first and has a fixed width, so that a search can compare times without parsing.
    /// </summary>
    public static void Write(Utf8JsonWriter json, AuditEvent audit)
    {
        var fields = new EventFields(json);
        json.WriteStartObject();
        fields.Time("at", audit.At);
        fields.Texts(("event", audit.Name));
        audit.WriteTo(fields);
        fields.Texts(("id", audit.Id));
        json.WriteEndObject();
    }

    /// <summary>Null when the line is no event: cut off by a crash or a full disk, damaged, or written by a later version.</summary>
    public static AuditEvent? Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var fields = new EventLine(document.RootElement);
            if (!ByName.TryGetValue(fields.Text("event"), out var type))
                return null;
            var audit = type.Read(fields);
            return fields.Maybe("id") is { } id ? audit with { Id = id } : audit;
        }
        catch (Exception e)
            when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or IndexOutOfRangeException
                or ArgumentOutOfRangeException or OverflowException)
        {
            return null;
        }
    }
}

/// <summary>A kind of event: its word in the log, and how its line is read.</summary>
internal sealed record EventType(string Name, Func<EventLine, AuditEvent> Read);
