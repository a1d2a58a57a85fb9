using System.Globalization;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Dialogue;

/// <summary>What BDAT says of the octets that follow it (RFC 3030 §2).</summary>
/// <param name="Octets">How many; none is allowed.</param>
/// <param name="IsLast">The message ends with this chunk.</param>
internal readonly record struct Chunk(long Octets, bool IsLast)
{
    /// <summary>
    /// <c>chunk-size [SP LAST]</c>. A size of more than eighteen digits is none: no counter holds it, and a client that means it cannot be
    /// followed.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> argument, out Chunk chunk)
    {
        chunk = default;
        var size = CommandLine.FirstWord(argument, out var word);
        var isLast = Ascii.EqualsIgnoreCase(word, "LAST"u8);
        if ((!word.IsEmpty && !isLast) || size.Length is 0 or > 18 || size.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        chunk = new Chunk(long.Parse(size, NumberStyles.None, CultureInfo.InvariantCulture), isLast);
        return true;
    }
}
