using System.Text;
using System.Text.Unicode;

namespace Postern.Sasl;

/// <summary>UTF-8 that is valid or nothing: replacement characters would let two names collide.</summary>
internal static class StrictUtf8
{
    private static readonly UTF8Encoding Encoding = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool TryDecode(ReadOnlySpan<byte> octets, int maxOctets, out string text)
    {
        text = string.Empty;
        if (octets.Length > maxOctets || !Utf8.IsValid(octets))
            return false;
        text = Encoding.GetString(octets);
        return true;
    }
}
