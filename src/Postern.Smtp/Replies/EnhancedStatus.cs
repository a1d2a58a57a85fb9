using System.Globalization;
using System.Text.Unicode;

namespace Postern.Smtp.Replies;

/// <summary>An enhanced mail system status code, <c>class.subject.detail</c> (RFC 3463, RFC 5248).</summary>
public readonly record struct EnhancedStatus(int Class, int Subject, int Detail)
{
    /// <summary>Reads <c>5.7.1</c>; null when the text is not such a code.</summary>
    public static EnhancedStatus? Parse(ReadOnlySpan<char> text)
    {
        Span<Range> parts = stackalloc Range[4];
        return text.Split(parts, '.') == 3
            && text[parts[0]] is "2" or "4" or "5"
            && int.TryParse(text[parts[1]], NumberStyles.None, CultureInfo.InvariantCulture, out var subject) && subject <= 999
            && int.TryParse(text[parts[2]], NumberStyles.None, CultureInfo.InvariantCulture, out var detail) && detail <= 999
                ? new EnhancedStatus(text[parts[0]][0] - '0', subject, detail)
                : null;
    }

    /// <summary>As on the wire: <c>5.7.1</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class}.{Subject}.{Detail}");

    /// <summary>Writes it; at most nine octets.</summary>
    internal void Format(Span<byte> octets, out int written)
    {
        Utf8.TryWrite(octets, CultureInfo.InvariantCulture, $"{Class}.{Subject}.{Detail}", out written);
    }
}
