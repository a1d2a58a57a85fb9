using System.Text;

namespace Postern.Relay.Policy;

/// <summary>
/// Arguments of a rule as one line of text: <c>key: value, key: value</c>, or one value. A value with a comma or colon before a space, or
/// that begins with a quotation mark, stands in quotation marks, with a backslash before those in it and before a backslash.
/// </summary>
public static class ArgumentText
{
    /// <summary>One argument, to be joined with others by a comma and a space.</summary>
    public static string Of(string key, string value) => $"{key}: {Quote(value)}";

    /// <param name="text">What behind the word of a rule stands.</param>
    /// <returns>A key is null where a value stands alone.</returns>
    internal static IEnumerable<(string? Key, string Value)> Split(string text)
    {
        var at = 0;
        while (at < text.Length)
        {
            string? key = null;
            if (text[at] != '"' && KeyEnd(text, at) is > 0 and var colon)
            {
                key = text[at..colon];
                at = colon + 2;
            }

            var value = Value(text, ref at);
            if (value.Length > 0 || key is not null)
                yield return (key, value);
        }
    }

    private static string Quote(string value) =>
        value.StartsWith('"') || value.Contains(", ", StringComparison.Ordinal) || value.Contains(": ", StringComparison.Ordinal)
            ? $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            : value;

    /// <summary>The colon behind the key that stands here; negative where a value stands alone.</summary>
    private static int KeyEnd(string text, int at)
    {
        var colon = text.IndexOf(": ", at, StringComparison.Ordinal);
        var comma = text.IndexOf(", ", at, StringComparison.Ordinal);
        return comma >= 0 && comma < colon ? -1 : colon;
    }

    /// <summary>Reads a value and the comma behind it.</summary>
    private static string Value(string text, ref int at)
    {
        if (at >= text.Length || text[at] != '"')
        {
            var comma = text.IndexOf(", ", at, StringComparison.Ordinal);
            var plain = comma < 0 ? text[at..] : text[at..comma];
            at = comma < 0 ? text.Length : comma + 2;
            return plain.Trim();
        }

        var value = new StringBuilder();
        for (at++; at < text.Length && text[at] != '"'; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            value.Append(text[at]);
        }

        at = Math.Min(text.Length, at + (text.AsSpan(at).StartsWith("\", ") ? 3 : 1));
        return value.ToString();
    }
}
