using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Documents;

/// <summary>Events of the log, each as it stands there.</summary>
/// <param name="Items">The newest first.</param>
/// <param name="Next">Where to go on; null when there is nothing older.</param>
/// <param name="SearchedBackTo">How far back was looked before the time was over; null when that did not end the search.</param>
internal sealed record EventPage(ImmutableArray<AuditEvent> Items, string? Next, DateTimeOffset? SearchedBackTo)
{
    public static EventPage Of(AuditPage page) => new(page.Events, page.Next?.ToString(), page.SearchedBackTo);

    /// <summary>One event on one line.</summary>
    public static string Line(AuditEvent audit)
    {
        var octets = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(octets, AuditEvents.Options))
            AuditEvents.Write(json, audit);
        return Encoding.UTF8.GetString(octets.WrittenSpan);
    }
}

/// <summary>Some events are missing in a stream: the log has them.</summary>
internal sealed record Lagged(long Missed);

/// <summary>Why something was permitted or refused.</summary>
/// <param name="Coalesced">Where many alike were written down as one.</param>
internal sealed record DecisionDocument(ImmutableArray<DecisionEvent> Decisions, ImmutableArray<CoalescedEvent> Coalesced);

/// <summary>An event as it stands in the log: there is one spelling of it.</summary>
internal sealed class EventConverter : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeof(AuditEvent).IsAssignableFrom(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        typeToConvert == typeof(DecisionEvent) ? new One<DecisionEvent>()
        : typeToConvert == typeof(CoalescedEvent) ? new One<CoalescedEvent>()
        : typeToConvert == typeof(AcceptedEvent) ? new One<AcceptedEvent>()
        : typeToConvert == typeof(LoginEvent) ? new One<LoginEvent>()
        : typeToConvert == typeof(DeliveryEvent) ? new One<DeliveryEvent>()
        : typeToConvert == typeof(BounceEvent) ? new One<BounceEvent>()
        : new One<AuditEvent>();

    private sealed class One<T> : JsonConverter<T>
        where T : AuditEvent
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return AuditEvents.Read(Encoding.UTF8.GetBytes(document.RootElement.GetRawText())) as T ?? throw new JsonException("no event");
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => AuditEvents.Write(writer, value);
    }
}
