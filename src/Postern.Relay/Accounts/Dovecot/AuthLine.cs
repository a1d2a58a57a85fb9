using System.Buffers;
using System.Globalization;
using System.Text;

namespace Postern.Relay.Accounts.Dovecot;

/// <summary>
/// A line of Dovecot's authentication protocol: a command and fields with a tab between them. What a field may not hold stands in it
/// escaped, behind octet 1.
/// </summary>
internal static class AuthLine
{
    /// <summary>Octets of a line, its LF included; what both sides are expected to take.</summary>
    public const int MaxOctets = 16 * 1024;

    private const byte Escape = 1;

    private static readonly SearchValues<char> Escaped = SearchValues.Create("\0\u0001\t\r\n");

    /// <summary>The text of a field; what is no UTF-8 in it is replaced, and so equals no name.</summary>
    public static string TextOf(ReadOnlySpan<byte> field)
    {
        if (!field.Contains(Escape))
            return Encoding.UTF8.GetString(field);
        var plain = new byte[field.Length];
        var length = 0;
        for (var i = 0; i < field.Length; i++)
        {
            var isEscape = field[i] == Escape && i + 1 < field.Length;
            plain[length++] = isEscape ? Unescape(field[++i]) : field[i];
        }

        return Encoding.UTF8.GetString(plain, 0, length);
    }

    /// <summary>The number of a request: 32 bits, in decimal digits.</summary>
    public static bool TryId(ReadOnlySpan<byte> field, out uint id) =>
        uint.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    /// <summary>A text as it may stand in a field.</summary>
    public static string Field(string text)
    {
        if (!text.AsSpan().ContainsAny(Escaped))
            return text;
        var escaped = new StringBuilder(text.Length + 8);
        foreach (var one in text)
            _ = one switch
            {
                '\0' => escaped.Append("\u00010"),
                '\u0001' => escaped.Append("\u00011"),
                '\t' => escaped.Append("\u0001t"),
                '\r' => escaped.Append("\u0001r"),
                '\n' => escaped.Append("\u0001n"),
                _ => escaped.Append(one),
            };
        return escaped.ToString();
    }

    private static byte Unescape(byte octet) => octet switch
    {
        (byte)'0' => 0,
        (byte)'1' => Escape,
        (byte)'t' => (byte)'\t',
        (byte)'r' => (byte)'\r',
        (byte)'n' or (byte)'l' => (byte)'\n',
        _ => octet,
    };
}
