using System.Text.Json;
using System.Text.Unicode;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// Reads the JSON of records in which there is only what nearly all have, by hand: a spool of a million messages opens in half the time.
/// Null for every other; the serializer reads that (<see cref="SpoolJson"/>), and says what is wrong with what is no such record.
/// </summary>
internal static class QuickJson
{
    /// <exception cref="JsonException">Not JSON.</exception>
    public static StoredEnvelope? Envelope(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && TryEnvelope(ref reader, out var envelope) && !reader.Read() ? envelope : null;
    }

    /// <exception cref="JsonException">Not JSON.</exception>
    public static StoredState? State(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && TryState(ref reader, out var state) && !reader.Read() ? state : null;
    }

    private static bool TryEnvelope(ref Utf8JsonReader reader, out StoredEnvelope? envelope)
    {
        envelope = null;
        if (reader.TokenType != JsonTokenType.StartObject)
            return false;
        var (version, eightBit, arrived) = (0, false, default(DateTimeOffset));
        string? from = null, login = null, client = null, listener = null, tenant = null;
        string[]? to = null;
        StoredState? state = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isKnown = Is(ref reader, "v"u8) ? TryNumber(ref reader, out version)
                : Is(ref reader, "arrived"u8) ? TryTime(ref reader, out arrived)
                : Is(ref reader, "from"u8) ? TryText(ref reader, out from)
                : Is(ref reader, "to"u8) ? TryTexts(ref reader, out to)
                : Is(ref reader, "login"u8) ? TryText(ref reader, out login)
                : Is(ref reader, "client"u8) ? TryText(ref reader, out client)
                : Is(ref reader, "listener"u8) ? TryText(ref reader, out listener)
                : Is(ref reader, "tenant"u8) ? TryText(ref reader, out tenant)
                : Is(ref reader, "eightBit"u8) ? TryTruth(ref reader, out eightBit)
                // Written by older versions, and always empty where nothing else says what it would hold.
                : Is(ref reader, "settled"u8) ? TryEmpty(ref reader)
                : Is(ref reader, "state"u8) && reader.Read() && TryState(ref reader, out state);
            if (!isKnown)
                return false;
        }

        if (reader.TokenType != JsonTokenType.EndObject || from is null || to is null || state is null)
            return false;
        envelope = new StoredEnvelope
        {
            V = version,
            Arrived = arrived,
            From = from,
            To = to,
            Login = login,
            Client = client,
            Listener = listener,
            Tenant = tenant,
            EightBit = eightBit,
            State = state,
        };
        return true;
    }

    private static bool TryState(ref Utf8JsonReader reader, out StoredState? state)
    {
        state = null;
        if (reader.TokenType != JsonTokenType.StartObject)
            return false;
        var (attempts, next, tried) = (0, default(DateTimeOffset), default(DateTimeOffset?));
        StoredRecipient[]? recipients = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isKnown;
            if (Is(ref reader, "tried"u8))
            {
                isKnown = TryTime(ref reader, out var at);
                tried = at;
            }
            else
            {
                isKnown = Is(ref reader, "attempts"u8) ? TryNumber(ref reader, out attempts)
                    : Is(ref reader, "next"u8) ? TryTime(ref reader, out next)
                    : Is(ref reader, "recipients"u8) && TryRecipients(ref reader, out recipients);
            }

            if (!isKnown)
                return false;
        }

        state = new StoredState(attempts, next, Held: false, DelayReports.None, recipients) { Tried = tried };
        return reader.TokenType == JsonTokenType.EndObject;
    }

    /// <summary>Of recipients that all wait.</summary>
    private static bool TryRecipients(ref Utf8JsonReader reader, out StoredRecipient[]? recipients)
    {
        recipients = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return false;
        var all = new List<StoredRecipient>(1);
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            string? reply = null, enhanced = null, trouble = null;
            var (code, verbatim) = (default(int?), false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isKnown;
                if (Is(ref reader, "code"u8))
                {
                    isKnown = TryNumber(ref reader, out var number);
                    code = number;
                }
                else
                {
                    isKnown = Is(ref reader, "reply"u8) ? TryText(ref reader, out reply)
                        : Is(ref reader, "trouble"u8) ? TryText(ref reader, out trouble)
                        : Is(ref reader, "enhanced"u8) ? TryText(ref reader, out enhanced)
                        : Is(ref reader, "verbatim"u8) && TryTruth(ref reader, out verbatim);
                }

                if (!isKnown)
                    return false;
            }

            all.Add(new StoredRecipient(RecipientStatus.Pending, reply)
            {
                Code = code,
                Enhanced = enhanced,
                Trouble = trouble,
                Verbatim = verbatim,
            });
        }

        recipients = [.. all];
        return reader.TokenType == JsonTokenType.EndArray;
    }

    /// <summary>A text that cannot be one is for the serializer to tell of.</summary>
    private static bool IsPlain(ref Utf8JsonReader reader) => !reader.ValueIsEscaped && Utf8.IsValid(reader.ValueSpan);

    private static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) => reader.ValueSpan.SequenceEqual(name);

    private static bool TryNumber(ref Utf8JsonReader reader, out int value)
    {
        value = 0;
        return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out value);
    }

    private static bool TryTime(ref Utf8JsonReader reader, out DateTimeOffset value)
    {
        value = default;
        return reader.Read() && reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out value);
    }

    private static bool TryTruth(ref Utf8JsonReader reader, out bool value)
    {
        value = true;
        return reader.Read() && reader.TokenType == JsonTokenType.True;
    }

    private static bool TryEmpty(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.StartArray && reader.Read() && reader.TokenType == JsonTokenType.EndArray;

    private static bool TryText(ref Utf8JsonReader reader, out string? value)
    {
        value = reader.Read() && reader.TokenType == JsonTokenType.String && IsPlain(ref reader) ? reader.GetString() : null;
        return value is not null;
    }

    private static bool TryTexts(ref Utf8JsonReader reader, out string[]? values)
    {
        values = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return false;
        var all = new List<string>(1);
        while (reader.Read() && reader.TokenType == JsonTokenType.String && IsPlain(ref reader))
            all.Add(reader.GetString()!);
        values = [.. all];
        return reader.TokenType == JsonTokenType.EndArray;
    }
}
