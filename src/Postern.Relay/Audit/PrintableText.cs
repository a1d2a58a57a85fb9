using System.Globalization;
using System.Text;

namespace Postern.Relay.Audit;

/// <summary>
/// Makes a text from the network safe to show: it can neither move the cursor, nor change the reading direction, nor end the line.
/// </summary>
public static class PrintableText
{
    /// <summary>The same text with every control, format, separator and lone surrogate character written as <c>\uXXXX</c>.</summary>
    public static string Of(string text) => text.All(static c => IsPrintable(c)) ? text : Escape(text);

    private static string Escape(string text)
    {
        var safe = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (IsPrintable(c))
                safe.Append(c);
            else
                safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
        }

        return safe.ToString();
    }

    private static bool IsPrintable(char c) => c == ' ' || char.GetUnicodeCategory(c) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
