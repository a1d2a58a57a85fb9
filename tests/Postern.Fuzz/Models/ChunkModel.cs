using System.Globalization;
using System.Text;

namespace Postern.Fuzz.Models;

/// <summary>What a BDAT command says of the octets behind it (RFC 3030 §2), as a client reads it.</summary>
/// <param name="Octets">-1 when it does not say so in a way that anybody could follow.</param>
internal readonly record struct ChunkModel(long Octets, bool IsLast)
{
    /// <summary>False when the line is another command.</summary>
    public static bool TryRead(ReadOnlySpan<byte> line, out ChunkModel chunk)
    {
        var words = Encoding.Latin1.GetString(line).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        chunk = new ChunkModel(-1, IsLast: false);
        if (line.IsEmpty || line[0] is (byte)' ' or (byte)'\t' || words.Length == 0 || !words[0].Equals("BDAT", StringComparison.OrdinalIgnoreCase))
            return false;
        var isLast = words.Length == 3 && words[2].Equals("LAST", StringComparison.OrdinalIgnoreCase);
        if (words.Length is 2 or 3 && isLast == (words.Length == 3) && words[1].Length <= 18 && words[1].All(char.IsAsciiDigit))
            chunk = new ChunkModel(long.Parse(words[1], CultureInfo.InvariantCulture), isLast);
        return true;
    }
}
