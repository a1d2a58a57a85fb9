using System.Globalization;
using System.Text.Json;
using Postern.Relay.Accounts.Stores.Answers;

namespace Postern.Relay.Accounts.Stores.Web;

/// <summary>
/// A user as a JSON object: <c>password</c> or <c>passwords</c>, <c>name</c>, <c>addresses</c>, <c>domains</c>, <c>tenant</c>,
/// <c>disabled</c>, <c>expires</c>. Members that are not known are passed over; one that is known and cannot be read is no answer.
/// </summary>
internal static class AccountJson
{
    private const int MostPasswords = 100;
    private const int MostCharacters = 1 << 16;
    private const int MostOfLabel = 100;

    /// <summary>What is wrong with it, which quotes nothing of it; null where <paramref name="facts"/> have all.</summary>
    /// <param name="password">The member with the password, or null where none is wanted.</param>
    public static string? Read(JsonElement account, UserFacts facts, string? password)
    {
        var problem = ReadTime(account, out var expires);
        if (problem is null && password is not null)
            problem = ReadPasswords(account, facts, password, expires);
        return problem
            ?? ReadText(account, "name", text => text.Length == 0 ? null : facts.SetName(text))
            ?? ReadText(account, "tenant", text => text.Length == 0 ? null : facts.SetTenant(text))
            ?? ReadTexts(account, "addresses", facts.AddAddresses)
            ?? ReadTexts(account, "domains", facts.AddDomains)
            ?? ReadDisabled(account, facts);
    }

    /// <summary>A text; null where there is none.</summary>
    public static string? Text(JsonElement account, string member) =>
        account.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? ReadPasswords(JsonElement account, UserFacts facts, string password, DateTimeOffset? expires)
    {
        if (ReadText(account, password, stored => Add(stored, label: null, expires)) is { } wrong)
            return wrong;
        if (!account.TryGetProperty("passwords", out var several) || several.ValueKind == JsonValueKind.Null)
            return null;
        if (several.ValueKind != JsonValueKind.Array)
            return "passwords: it is no list";
        foreach (var one in several.EnumerateArray())
        {
            var own = expires;
            var problem = one.ValueKind switch
            {
                JsonValueKind.String => Add(one.GetString()!, label: null, expires),
                JsonValueKind.Object => (one.TryGetProperty("expires", out _) ? ReadTime(one, out own) : null)
                    ?? (Text(one, "password") is { } stored ? Add(stored, Text(one, "label"), own) : "an entry has no password"),
                _ => "an entry is neither a text nor an object",
            };
            if (problem is not null)
                return $"passwords: {problem}";
        }

        return null;

        string? Add(string stored, string? label, DateTimeOffset? until)
        {
            if (stored.Length > MostCharacters)
                return "longer than 64 KiB";
            if (label is { Length: 0 or > MostOfLabel } || label?.Any(char.IsControl) is true)
                return "a label is no short text";
            if (facts.Passwords >= MostPasswords)
                return string.Create(CultureInfo.InvariantCulture, $"more than {MostPasswords}");
            facts.AddPassword(stored, label, until);
            return null;
        }
    }

    /// <summary>RFC 3339, or seconds since 1970.</summary>
    private static string? ReadTime(JsonElement account, out DateTimeOffset? expires)
    {
        expires = null;
        if (!account.TryGetProperty("expires", out var value) || value is { ValueKind: JsonValueKind.Null })
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) && seconds is >= 0 and < 253_402_300_800)
            expires = DateTimeOffset.FromUnixTimeSeconds(seconds);
        else if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text)
        {
            if (text.Length == 0)
                return null;
            if (DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                && text.Length >= "2027-01-01".Length && char.IsAsciiDigit(text[0]) && text[4] == '-')
                expires = time;
        }

        return expires is null ? "expires: it is no time such as 2027-01-31T12:00:00Z" : null;
    }

    private static string? ReadDisabled(JsonElement account, UserFacts facts)
    {
        if (!account.TryGetProperty("disabled", out var value))
            return null;
        switch (value.ValueKind)
        {
            case JsonValueKind.Null or JsonValueKind.False:
                return null;
            case JsonValueKind.True:
                facts.Disable("true");
                return null;
            case JsonValueKind.String or JsonValueKind.Number:
                facts.Disable(value.ToString());
                return null;
            default:
                return "disabled: it is neither true nor false";
        }
    }

    private static string? ReadText(JsonElement account, string member, Func<string, string?> take)
    {
        if (!account.TryGetProperty(member, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        var problem = value.ValueKind != JsonValueKind.String ? "it is no text"
            : value.GetString() is not { Length: <= MostCharacters } text ? "longer than 64 KiB"
            : take(text);
        return problem is null ? null : $"{member}: {problem}";
    }

    /// <summary>A list of texts, or one text with several.</summary>
    private static string? ReadTexts(JsonElement account, string member, Func<string, string?> add)
    {
        if (!account.TryGetProperty(member, out var value) || value.ValueKind != JsonValueKind.Array)
            return ReadText(account, member, add);
        foreach (var one in value.EnumerateArray())
        {
            var problem = one.ValueKind == JsonValueKind.String && one.GetString() is { Length: <= MostCharacters } text
                ? add(text)
                : "something in it is no text";
            if (problem is not null)
                return $"{member}: {problem}";
        }

        return add(string.Empty) is { } wrong ? $"{member}: {wrong}" : null;
    }
}
