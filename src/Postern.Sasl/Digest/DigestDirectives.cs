using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Sasl.Digest;

/// <summary>
/// The comma-separated <c>name=value</c> list of DIGEST-MD5 (RFC 2831 §7.1): values are tokens or quoted strings, names compare without
/// case, none may come twice but <c>realm</c> in a challenge.
/// </summary>
internal sealed class DigestDirectives
{
    private readonly Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> realms = [];

    /// <summary>Every realm that was named, in order.</summary>
    public IReadOnlyList<string> Realms => realms;

    public string? this[string name] => values.GetValueOrDefault(name);

    /// <summary>The text is ISO 8859-1 unless it says <c>charset=utf-8</c> (§2.1.1); then it has to be what it claims.</summary>
    public static bool TryParse(ReadOnlySpan<byte> octets, int maxOctets, [NotNullWhen(true)] out DigestDirectives? directives)
    {
        directives = null;
        if (octets.Length > maxOctets || octets.Contains((byte)0) || !TryParse(Encoding.Latin1.GetString(octets), out directives))
            return false;
        if (directives["charset"] is not { } charset)
            return true;
        return charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            && StrictUtf8.TryDecode(octets, maxOctets, out var text)
            && TryParse(text, out directives);
    }

    private static bool TryParse(string text, [NotNullWhen(true)] out DigestDirectives? directives)
    {
        directives = new DigestDirectives();
        var at = 0;
        while (true)
        {
            at = SkipSpace(text, at);
            while (at < text.Length && text[at] == ',')
                at = SkipSpace(text, at + 1);
            if (at == text.Length)
                return true;
            if (!TryTake(text, ref at, out var name, out var value) || !directives.Add(name, value))
                break;
        }

        directives = null;
        return false;
    }

    private bool Add(string name, string value)
    {
        if (!name.Equals("realm", StringComparison.OrdinalIgnoreCase))
            return values.TryAdd(name, value);
        realms.Add(value);
        values.TryAdd(name, value);
        return true;
    }

    private static bool TryTake(string text, ref int at, out string name, out string value)
    {
        (name, value) = (string.Empty, string.Empty);
        var start = at;
        while (at < text.Length && IsTokenCharacter(text[at]))
            at++;
        name = text[start..at];
        at = SkipSpace(text, at);
        if (name.Length == 0 || at == text.Length || text[at] != '=')
            return false;
        at = SkipSpace(text, at + 1);
        var isWhole = at < text.Length && text[at] == '"' ? TryTakeQuoted(text, ref at, out value) : TryTakeToken(text, ref at, out value);
        at = SkipSpace(text, at);
        return isWhole && (at == text.Length || text[at] == ',');
    }

    private static bool TryTakeToken(string text, ref int at, out string value)
    {
        var start = at;
        while (at < text.Length && IsTokenCharacter(text[at]))
            at++;
        value = text[start..at];
        return value.Length > 0;
    }

    private static bool TryTakeQuoted(string text, ref int at, out string value)
    {
        var quoted = new StringBuilder();
        value = string.Empty;
        for (at++; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                at++;
                value = quoted.ToString();
                return true;
            }

            if (text[at] == '\\' && ++at == text.Length)
                return false;
            quoted.Append(text[at]);
        }

        return false;
    }

    private static int SkipSpace(string text, int at)
    {
        while (at < text.Length && text[at] is (' ' or '\t' or '\r' or '\n'))
            at++;
        return at;
    }

    private static bool IsTokenCharacter(char c) =>
        c is > ' ' and < '\u007f' && !"()<>@,;:\\\"/[]?={}".Contains(c, StringComparison.Ordinal);
}
