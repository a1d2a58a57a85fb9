using System.Text;
using System.Text.Unicode;

namespace Postern.Relay.Spool;

/// <summary>Bounds what a stranger said before it is kept: it is held, logged and stored once for each recipient.</summary>
internal static class RemoteText
{
    /// <summary>In UTF-8, the mark included.</summary>
    public const int MostOctets = 1024;

    private const string Mark = " [cut]";

    /// <summary>The text itself, or as many of its characters as fit, marked.</summary>
    public static string Cut(string text)
    {
        if (text.Length <= MostOctets / 3 || Encoding.UTF8.GetByteCount(text) <= MostOctets)
            return text;
        Span<byte> octets = stackalloc byte[MostOctets - Mark.Length];
        Utf8.FromUtf16(text, octets, out var characters, out _);
        return string.Concat(text.AsSpan(0, characters), Mark);
    }
}
