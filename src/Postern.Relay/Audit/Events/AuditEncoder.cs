using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;

namespace Postern.Relay.Audit.Events;

/// <summary>
/// Writes JSON text in printable US-ASCII only: line ends, terminal sequences, bidirectional marks and look-alike letters from the
/// network all become <c>\uXXXX</c>. Addresses stay as an operator would grep for them.
/// </summary>
internal sealed unsafe class AuditEncoder : JavaScriptEncoder
{
    private const int EscapeLength = 6;

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private AuditEncoder()
    {
    }

    public static AuditEncoder Instance { get; } = new();

    /// <summary>A scalar beyond the first plane takes two escapes.</summary>
    public override int MaxOutputCharactersPerInputCharacter => 2 * EscapeLength;

    public override bool WillEncode(int unicodeScalar) => unicodeScalar > '~' || !Plain.Contains((char)unicodeScalar);

    public override int FindFirstCharacterToEncode(char* text, int textLength) =>
        new ReadOnlySpan<char>(text, textLength).IndexOfAnyExcept(Plain);

    public override bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        Span<char> units = stackalloc char[2];
        var count = new System.Text.Rune(unicodeScalar).EncodeToUtf16(units);
        var output = new Span<char>(buffer, bufferLength);
        numberOfCharactersWritten = 0;
        if (output.Length < count * EscapeLength)
            return false;
        foreach (var unit in units[..count])
        {
            "\\u".CopyTo(output[numberOfCharactersWritten..]);
            ((int)unit).TryFormat(output[(numberOfCharactersWritten + 2)..], out _, "X4", CultureInfo.InvariantCulture);
            numberOfCharactersWritten += EscapeLength;
        }

        return true;
    }
}
