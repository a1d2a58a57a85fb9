using System.Globalization;
using System.Text.Json;
using Postern.Smtp.Replies;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// An answer in JSON: <c>action</c>, and where it wants them <c>text</c>, <c>code</c>, <c>status</c>, <c>to</c>, <c>field</c>, <c>list</c>.
/// It is read into the words of access(5), so that both protocols come to the same. Members that are not known are passed over; one that
/// is known and does not fit makes it no answer.
/// </summary>
internal static class PolicyAnswer
{
    private const int MostOfMember = 4096;

    public static PolicyReply Read(JsonElement json)
    {
        if (Text(json, "action") is not { Length: > 0 and <= 32 } action || !action.All(static c => char.IsAsciiLetter(c) || c == '_'))
            return new PolicyReply.Broken("its answer has no 'action', which is one word");
        foreach (var member in (string[])["text", "status", "to", "field", "list"])
        {
            if (json.TryGetProperty(member, out var value) && value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
                return new PolicyReply.Broken($"its '{member}' is no text");
            if (Text(json, member) is { Length: > MostOfMember })
                return new PolicyReply.Broken($"its '{member}' is longer than 4 KiB");
        }

        if (Text(json, "status") is { Length: > 0 } status && EnhancedStatus.Parse(status) is not { Class: 4 or 5 })
            return new PolicyReply.Broken("its 'status' is no enhanced status code such as 5.7.1");
        var isRefusal = action.ToUpperInvariant() is "REJECT" or "DEFER";
        if (!TryCode(json, out var code))
            return new PolicyReply.Broken("its 'code' is no reply code from 400 to 599");
        if (code is not null && !isRefusal)
            return new PolicyReply.Broken($"its 'code' does not go with {action}: only reject and defer have one");
        var word = code?.ToString(CultureInfo.InvariantCulture) ?? action;
        return new PolicyReply.Action(action.ToUpperInvariant() switch
        {
            "REJECT" or "DEFER" or "DEFER_IF_PERMIT" or "DEFER_IF_REJECT" => Join(word, Text(json, "status"), Text(json, "text")),
            "HOLD" or "WARN" or "INFO" => Join(word, Text(json, "text")),
            "REDIRECT" or "BCC" => Join(word, Text(json, "to")),
            "PREPEND" => Join(word, Text(json, "field")),
            "LIST" => Join(word, Text(json, "list")),
            _ => word,
        });
    }

    private static string Join(params string?[] parts) => string.Join(' ', parts.Where(static part => !string.IsNullOrEmpty(part)));

    /// <summary>Null where there is none.</summary>
    private static string? Text(JsonElement json, string member) =>
        json.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool TryCode(JsonElement json, out int? code)
    {
        code = null;
        if (!json.TryGetProperty("code", out var value) || value.ValueKind == JsonValueKind.Null)
            return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number))
            return false;
        code = number;
        return number is >= 400 and <= 599 and not 421;
    }
}
