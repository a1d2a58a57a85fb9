using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Postern.Relay.Audit.Events;

/// <summary>Writes the fields of an event. What is null is left out, and a text that is too long is cut.</summary>
internal readonly struct EventFields(Utf8JsonWriter json)
{
    private const int EscapeLength = 6;

    private const string Cut = "...";

    public void Texts(params ReadOnlySpan<(string Name, string? Value)> texts)
    {
        foreach (var (name, value) in texts)
        {
            if (value is not null)
                json.WriteString(name, Short(value));
        }
    }

    public void Number(string name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }

    public void Time(string name, DateTimeOffset? value)
    {
        if (value is not { } at)
            return;
        Span<char> text = stackalloc char[AuditTime.Length];
        at.UtcDateTime.TryFormat(text, out var written, AuditTime.Format, CultureInfo.InvariantCulture);
        json.WriteString(name, text[..written]);
    }

    /// <summary>A list of texts, of which the first <paramref name="most"/> are written.</summary>
    public void List(string name, ImmutableArray<string> texts, int most = int.MaxValue)
    {
        json.WriteStartArray(name);
        foreach (var text in Each(texts)[..Math.Min(most, Each(texts).Length)])
            json.WriteStringValue(Short(text));
        json.WriteEndArray();
    }

    /// <summary>A list of objects.</summary>
    public void List<T>(string name, ImmutableArray<T> items, Action<EventFields, T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in Each(items))
        {
            json.WriteStartObject();
            write(this, item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>A list of lists, whose items <paramref name="write"/> writes.</summary>
    public void Rows<T>(string name, ImmutableArray<T> items, Action<EventFields, T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in Each(items))
            Row(item, write);
        json.WriteEndArray();
    }

    /// <summary>A list as an item of a list.</summary>
    public void Row<T>(T item, Action<EventFields, T> write)
    {
        json.WriteStartArray();
        write(this, item);
        json.WriteEndArray();
    }

    /// <summary>An item of a list.</summary>
    public void Item(string? text) => Value(text);

    /// <summary>The same.</summary>
    public void Item(long? number)
    {
        if (number is { } value)
            json.WriteNumberValue(value);
        else
            json.WriteNullValue();
    }

    /// <summary>An object whose members are lists of two texts: before and after.</summary>
    public void Changes(string name, ImmutableArray<AdminChange> changes)
    {
        json.WriteStartObject(name);
        foreach (var (field, before, after) in changes)
        {
            json.WriteStartArray(field);
            Value(before);
            Value(after);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static ReadOnlySpan<T> Each<T>(ImmutableArray<T> items) => items.IsDefault ? [] : items.AsSpan();

    private void Value(string? text)
    {
        if (text is null)
            json.WriteNullValue();
        else
            json.WriteStringValue(Short(text));
    }

    private static string Short(string text)
    {
        if (text.Length <= AuditEvents.MostOctets / EscapeLength)
            return text;
        var octets = 0;
        var kept = 0;
        for (var at = 0; at < text.Length; at++)
        {
            octets += AuditEncoder.Instance.WillEncode(text[at]) ? EscapeLength : 1;
            if (octets > AuditEvents.MostOctets)
                return string.Concat(text.AsSpan(0, kept > 0 && char.IsHighSurrogate(text[kept - 1]) ? kept - 1 : kept), Cut);
            if (octets <= AuditEvents.MostOctets - Cut.Length)
                kept = at + 1;
        }

        return text;
    }
}
