using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Postern.Relay.Audit;

/// <summary>
/// Writes an event as one JSON object; <see cref="AuditEventReader"/> reads it back. <c>at</c> comes first and has a fixed width, so that
/// a search can compare times without parsing. What is null is left out.
/// </summary>
public static class AuditEventWriter
{
    /// <summary>Octets of one text as it is written, with its escapes; a longer one is cut: what a client or a next hop sends must not fill the disk.</summary>
    public const int MostOctets = 1_024;

    /// <summary>Recipients of a message that are named; the others are counted.</summary>
    public const int MostRecipients = 100;

    private const int EscapeLength = 6;

    private const string Cut = "...";

    public static JsonWriterOptions Options { get; } = new() { Encoder = AuditEncoder.Instance, SkipValidation = true };

    public static void Write(Utf8JsonWriter json, AuditEvent audit)
    {
        json.WriteStartObject();
        Time(json, "at", audit.At);
        switch (audit)
        {
            case AuditEvent.Login login:
                Write(json, login);
                break;
            case AuditEvent.Decision decision:
                Write(json, decision);
                break;
            case AuditEvent.Accepted accepted:
                Write(json, accepted);
                break;
            case AuditEvent.Refused refused:
                Write(json, refused);
                break;
            case AuditEvent.Delivery delivery:
                Write(json, delivery);
                break;
            case AuditEvent.Bounce bounce:
                Write(json, bounce);
                break;
            case AuditEvent.Admin admin:
                Write(json, admin);
                break;
            case AuditEvent.Server server:
                Write(json, server);
                break;
            case AuditEvent.Coalesced coalesced:
                Write(json, coalesced);
                break;
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, AuditEvent.Login login)
    {
        Texts(json, ("event", "login"), ("session", login.Session), ("listener", login.Listener), ("client", login.Client));
        Texts(json, ("mechanism", login.Mechanism), ("user", login.User), ("acting_as", login.ActingAs));
        Texts(json, ("outcome", login.Outcome), ("reason", login.Reason), ("tls", login.Tls));
    }

    private static void Write(Utf8JsonWriter json, AuditEvent.Decision decision)
    {
        Texts(json, ("event", "decision"), ("ref", decision.Ref), ("session", decision.Session), ("listener", decision.Listener), ("client", decision.Client));
        Texts(json, ("helo", decision.Helo), ("user", decision.User), ("tls", decision.Tls));
        Texts(json, ("stage", decision.Stage), ("sender", decision.Sender), ("recipient", decision.Recipient));
        Texts(json, ("outcome", decision.Outcome), ("rule", decision.Rule), ("reply", decision.Reply));
        json.WriteStartArray("chain");
        foreach (var step in Each(decision.Chain))
        {
            json.WriteStartObject();
            Texts(json, ("rule", step.Rule), ("saw", step.Saw), ("said", step.Said), ("remedy", step.Remedy));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, AuditEvent.Accepted accepted)
    {
        Texts(json, ("event", "accepted"), ("queue_id", accepted.QueueId), ("session", accepted.Session), ("listener", accepted.Listener), ("client", accepted.Client));
        Texts(json, ("user", accepted.User), ("sender", accepted.Sender));
        json.WriteStartArray("recipients");
        var recipients = Each(accepted.Recipients);
        foreach (var recipient in recipients.AsSpan()[..Math.Min(MostRecipients, recipients.Length)])
            json.WriteStringValue(Short(recipient));
        json.WriteEndArray();
        if (accepted.MoreRecipients + Math.Max(0, recipients.Length - MostRecipients) is > 0 and var more)
            json.WriteNumber("more_recipients", more);
        json.WriteNumber("size", accepted.Size);
        Texts(json, ("message_id", accepted.MessageId), ("header_from", accepted.HeaderFrom));
        Texts(json, ("tls", accepted.Tls), ("envid", accepted.EnvelopeId), ("forwarded", accepted.Forwarded));
    }

    private static void Write(Utf8JsonWriter json, AuditEvent.Refused refused)
    {
        Texts(json, ("event", "refused"), ("session", refused.Session), ("listener", refused.Listener), ("client", refused.Client));
        Texts(json, ("user", refused.User), ("verb", refused.Verb), ("reply", refused.Reply));
    }

    private static void Write(Utf8JsonWriter json, AuditEvent.Delivery delivery)
    {
        Texts(json, ("event", "delivery"), ("queue_id", delivery.QueueId), ("recipient", delivery.Recipient), ("outcome", delivery.Outcome));
        json.WriteNumber("attempt", delivery.Attempt);
        Texts(json, ("remote", delivery.Remote), ("reply", delivery.Reply), ("tls", delivery.Tls));
        if (delivery.NextAttempt is { } next)
            Time(json, "next_attempt", next);
    }

    private static void Write(Utf8JsonWriter json, AuditEvent.Bounce bounce) =>
        Texts(json, ("event", "bounce"), ("queue_id", bounce.QueueId), ("bounce_id", bounce.BounceId), ("to", bounce.To), ("reason", bounce.Reason));

    private static void Write(Utf8JsonWriter json, AuditEvent.Admin admin) =>
        Texts(json, ("event", "admin"), ("actor", admin.Actor), ("action", admin.Action), ("target", admin.Target));

    private static void Write(Utf8JsonWriter json, AuditEvent.Server server) =>
        Texts(json, ("event", "server"), ("what", server.Event), ("detail", server.Detail));

    private static void Write(Utf8JsonWriter json, AuditEvent.Coalesced coalesced)
    {
        Texts(json, ("event", "coalesced"), ("kind", coalesced.Kind), ("client", coalesced.Client), ("user", coalesced.User));
        Texts(json, ("what", coalesced.What), ("detail", coalesced.Detail));
        if (coalesced.Code is { } code)
            json.WriteNumber("code", code);
        Texts(json, ("ref", coalesced.Ref));
        json.WriteNumber("count", coalesced.Count);
        Time(json, "since", coalesced.Since);
    }

    private static void Texts(Utf8JsonWriter json, params ReadOnlySpan<(string Name, string? Value)> texts)
    {
        foreach (var (name, value) in texts)
        {
            if (value is not null)
                json.WriteString(name, Short(value));
        }
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset at)
    {
        Span<char> text = stackalloc char[AuditTime.Length];
        at.UtcDateTime.TryFormat(text, out var written, AuditTime.Format, CultureInfo.InvariantCulture);
        json.WriteString(name, text[..written]);
    }

    private static string Short(string text)
    {
        if (text.Length <= MostOctets / EscapeLength)
            return text;
        var octets = 0;
        var kept = 0;
        for (var at = 0; at < text.Length; at++)
        {
            octets += AuditEncoder.Instance.WillEncode(text[at]) ? EscapeLength : 1;
            if (octets > MostOctets)
                return string.Concat(text.AsSpan(0, kept > 0 && char.IsHighSurrogate(text[kept - 1]) ? kept - 1 : kept), Cut);
            if (octets <= MostOctets - Cut.Length)
                kept = at + 1;
        }

        return text;
    }

    private static ImmutableArray<T> Each<T>(ImmutableArray<T> items) => items.IsDefault ? [] : items;
}
