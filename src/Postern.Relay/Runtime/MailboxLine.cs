using System.Globalization;
using System.Text;
using Postern.Smtp.Message;

namespace Postern.Relay.Runtime;

/// <summary>
/// The line that stands before each message in a mailbox file (RFC 4155), <c>From lisa@example.org Sun Nov 29 11:30:16 2026</c>, sent along
/// by programs that send such files. It is no header field, so all the fields behind it would be body: it gets a name, and they stay the
/// header.
/// </summary>
internal static class MailboxLine
{
    /// <summary>So many are given a name; one more is the first line of a body.</summary>
    public const int Most = 16;

    /// <summary>The longest in which a date is looked for.</summary>
    private const int MaxOctets = 512;

    private static readonly string[] Days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    private static readonly string[] Months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    /// <summary>What is written before it.</summary>
    public static ReadOnlySpan<byte> Name => "X-Mailbox-Line: "u8;

    /// <summary>
    /// Whether the content begins with one; null: that cannot be said yet. A text without a header may begin with <c>From</c> too, and
    /// keeps its first line: only what has the date of such a line, or a header field behind it, is one.
    /// </summary>
    /// <param name="isAll">Nothing follows.</param>
    public static bool? StandsAt(ReadOnlySpan<byte> content, bool isAll)
    {
        var line = FirstLine(content, out var rest);
        if (!line.TrimStart((byte)'>').StartsWith("From "u8) || HeaderSection.Continues(line, isFirst: true))
            return false;
        if (IsDated(line))
            return true;
        var next = FirstLine(rest, out _);
        if (!isAll && rest.IndexOf("\r\n"u8) < 0)
            return null;
        return HeaderSection.Continues(next, isFirst: true);
    }

    private static ReadOnlySpan<byte> FirstLine(ReadOnlySpan<byte> content, out ReadOnlySpan<byte> rest)
    {
        var end = content.IndexOf("\r\n"u8);
        rest = end < 0 ? default : content[(end + 2)..];
        return end < 0 ? content : content[..end];
    }

    /// <summary>A day of the week, a month, a day and a time, in this order.</summary>
    private static bool IsDated(ReadOnlySpan<byte> line)
    {
        if (line.Length > MaxOctets)
            return false;
        var words = Encoding.Latin1.GetString(line).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i + 3 < words.Length; i++)
        {
            if (Days.Contains(words[i])
                && Months.Contains(words[i + 1])
                && int.TryParse(words[i + 2], NumberStyles.None, CultureInfo.InvariantCulture, out var day)
                && day is >= 1 and <= 31
                && words[i + 3].Contains(':', StringComparison.Ordinal) && char.IsAsciiDigit(words[i + 3][0]))
                return true;
        }

        return false;
    }
}
