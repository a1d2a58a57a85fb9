using System.Diagnostics.CodeAnalysis;
using System.Text;
using Postern.Sasl;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>base64url without padding, as JOSE writes it (RFC 7515 §2); strict: no padding, no other alphabet, unused bits zero.</summary>
internal static class Base64Url
{
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? octets)
    {
        octets = null;
        if (text.IsEmpty || text.Length % 4 == 1 || text.ContainsAny("+/=") || !Ascii.IsValid(text))
            return false;
        var padded = new byte[(text.Length + 3) / 4 * 4];
        for (var i = 0; i < padded.Length; i++)
            padded[i] = (byte)(i >= text.Length ? '=' : text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
        if (!StrictBase64.TryDecode(padded, out var decoded))
            return false;
        octets = decoded;
        return true;
    }
}
