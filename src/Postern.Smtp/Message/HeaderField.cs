using System.Buffers;
using System.Text;

namespace Postern.Smtp.Message;

/// <summary>
/// One header field that this server adds (RFC 5322 §2.2): folded at spaces, CRLF at the end. The value is made of words; none can
/// hold CR, LF or NUL, whatever it was built from: such octets become question marks.
/// </summary>
public static class HeaderField
{
    /// <summary>Folding starts here; RFC 5322 §2.1.1 recommends lines of at most 78 characters.</summary>
    private const int PreferredLine = 78;

    private const int LongestLine = 998;

    /// <summary>
    /// Whether a text is a field that may stand in any message: name, colon and a value (RFC 5322 §2.2), printable US-ASCII, on one line of
    /// at most 998 characters (§2.1.1).
    /// </summary>
    public static bool IsField(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            && text.Length <= LongestLine
            && !text.AsSpan(0, colon).ContainsAnyExceptInRange('!', '~')
            && !text.AsSpan(colon).ContainsAnyExceptInRange(' ', '~')
            && !text.AsSpan(colon + 1).Trim().IsEmpty;
    }

    /// <summary>Appends <c>name: word word …</c>. A word that is itself too long for a line stands alone on it.</summary>
    public static void Append(StringBuilder text, string name, params ReadOnlySpan<string> words)
    {
        text.Append(name).Append(':');
        var column = name.Length + 1;
        var isFirst = true;
        foreach (var word in words)
        {
            if (word.Length == 0)
                continue;
            if (column + 1 + word.Length > PreferredLine && !isFirst)
            {
                text.Append("\r\n\t");
                column = 8;
            }
            else
            {
                text.Append(' ');
                column++;
            }

            AppendPrintable(text, word);
            column += word.Length;
            isFirst = false;
        }

        text.Append("\r\n");
    }

    private static readonly SearchValues<char> Forbidden = SearchValues.Create("\r\n\0");

    private static void AppendPrintable(StringBuilder text, string word)
    {
        if (word.AsSpan().IndexOfAny(Forbidden) < 0)
        {
            text.Append(word);
            return;
        }

        foreach (var c in word)
            text.Append(c is '\r' or '\n' or '\0' ? '?' : c);
    }
}
