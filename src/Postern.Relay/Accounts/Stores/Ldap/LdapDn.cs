using System.Globalization;
using System.Text;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>Distinguished names as text (RFC 4514).</summary>
internal static class LdapDn
{
    /// <summary>A value as it stands in a name: a sign that means something there is escaped (RFC 4514 §2.4).</summary>
    public static string Escape(string value)
    {
        var text = new StringBuilder(value.Length + 8);
        for (var i = 0; i < value.Length; i++)
        {
            var isAtEdge = value[i] == ' ' ? i == 0 || i == value.Length - 1 : value[i] == '#' && i == 0;
            if (isAtEdge || value[i] is '"' or '+' or ',' or ';' or '<' or '>' or '\\' or '=')
                text.Append('\\').Append(value[i]);
            else if (value[i] == '\0')
                text.Append("\\00");
            else
                text.Append(value[i]);
        }

        return text.ToString();
    }

    /// <summary>
    /// One form of all ways to write a name: what stands escaped, in another case or with spaces around the signs is the same. Null for a
    /// text that is no name.
    /// </summary>
    public static string? Normalize(string dn)
    {
        if (dn.Trim().Length == 0)
            return null;
        var text = new StringBuilder(dn.Length);
        for (var at = 0; at < dn.Length;)
        {
            var equal = dn.IndexOf('=', at);
            var type = equal < 0 ? string.Empty : dn[at..equal].Trim();
            if (type.Length == 0 || !type.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'))
                return null;
            at = equal + 1;
            if (Value(dn, ref at) is not { } value)
                return null;
            text.Append(type.ToLowerInvariant()).Append('=').Append(Escape(value.ToLowerInvariant()));
            if (at < dn.Length)
                text.Append(dn[at] == '+' ? '+' : ',');
            if (at == dn.Length - 1)
                return null;
            at++;
        }

        return text.ToString();
    }

    /// <summary>
    /// The value that begins at <paramref name="at"/>, without its escapes and the spaces around it; it ends at a sign, or at the end.
    /// </summary>
    private static string? Value(string dn, ref int at)
    {
        var octets = new List<byte>();
        var kept = 0;
        for (; at < dn.Length && dn[at] is not (',' or ';' or '+'); at++)
        {
            var isEscaped = dn[at] == '\\';
            if (isEscaped && ++at >= dn.Length)
                return null;
            if (isEscaped && HexOctet(dn, at) is { } octet)
            {
                octets.Add(octet);
                at++;
            }
            else if (isEscaped || dn[at] != ' ' || octets.Count > 0)
            {
                var length = char.IsHighSurrogate(dn[at]) && at + 1 < dn.Length ? 2 : 1;
                octets.AddRange(Encoding.UTF8.GetBytes(dn, at, length));
                at += length - 1;
            }

            if (isEscaped || dn[at] != ' ')
                kept = octets.Count;
        }

        return Encoding.UTF8.GetString([.. octets.Take(kept)]);
    }

    /// <summary>Of two hexadecimal digits; null where they are none.</summary>
    public static byte? HexOctet(string text, int at) =>
        at + 2 <= text.Length
        && byte.TryParse(text.AsSpan(at, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet)
            ? octet
            : null;
}
