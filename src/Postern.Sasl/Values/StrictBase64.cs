using System.Buffers;
using System.Buffers.Text;

namespace Postern.Sasl;

/// <summary>
/// Base64 as SASL profiles demand it (RFC 4648 §4, RFC 4954 §4): the one alphabet, padding only at the end and always there,
/// unused bits zero. The runtime's decoders skip white space, so the alphabet is checked first.
/// </summary>
public static class StrictBase64
{
    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    /// <summary>Decodes <paramref name="text"/>; false on any deviation. The empty text is valid and decodes to nothing.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, out byte[] octets)
    {
        octets = [];
        if (text.IsEmpty)
            return true;
        if (text.Length % 4 != 0)
            return false;

        var padding = text[^1] != '=' ? 0 : text[^2] != '=' ? 1 : 2;
        var digits = text[..^padding];
        if (digits.ContainsAnyExcept(Alphabet) || HasUnusedBits(digits[^1], padding))
            return false;

        var result = new byte[(text.Length / 4 * 3) - padding];
        if (Base64.DecodeFromUtf8(text, result, out _, out var written) != OperationStatus.Done || written != result.Length)
            return false;
        octets = result;
        return true;
    }

    private static bool HasUnusedBits(byte lastDigit, int padding)
    {
        var mask = padding switch { 1 => 0b0011, 2 => 0b1111, _ => 0 };
        return (ValueOf(lastDigit) & mask) != 0;
    }

    private static int ValueOf(byte digit) => digit switch
    {
        >= (byte)'A' and <= (byte)'Z' => digit - 'A',
        >= (byte)'a' and <= (byte)'z' => digit - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => digit - '0' + 52,
        (byte)'+' => 62,
        _ => 63,
    };
}
