using System.Text;

namespace Postern.Smtp.Message;

/// <summary>
/// Walks over the fields of a header section (RFC 5322 §2.2) without copying. A line that is no field ends the section: the body begins
/// there, as for every receiver.
/// </summary>
public ref struct HeaderSection(ReadOnlySpan<byte> section)
{
    private readonly ReadOnlySpan<byte> octets = section;

    /// <summary>Where the present field starts.</summary>
    public int Start { get; private set; }

    /// <summary>Where the next field starts; after the walk, where the section ends.</summary>
    public int End { get; private set; }

    /// <summary>The field's name as it came.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The field body with its folding and its final CRLF.</summary>
    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>
    /// Looks for the end of the section in content that may still be incomplete: the offset of the blank line or of the first line that is
    /// no field, or -1 when it has not come yet. <paramref name="from"/> is the start of a line where an earlier look ended, and is moved
    /// on.
    /// </summary>
    public static int FindEnd(ReadOnlySpan<byte> content, ref int from)
    {
        while (from < content.Length)
        {
            var length = content[from..].IndexOf("\r\n"u8);
            if (length < 0)
                return -1;
            if (length == 0 || !IsFieldLine(content.Slice(from, length), isFirst: from == 0))
                return from;
            from += length + 2;
        }

        return -1;
    }

    /// <summary>Whether a line, without its CRLF, belongs to a header section that begins with it or goes on with it.</summary>
    public static bool Continues(ReadOnlySpan<byte> line, bool isFirst) => !line.IsEmpty && IsFieldLine(line, isFirst);

    /// <summary>Goes to the next field; false behind the last, and where what follows is no field.</summary>
    public bool TryNext()
    {
        if (End >= octets.Length)
            return false;
        Start = End;
        var next = Start;
        do
        {
            var lineEnd = octets[next..].IndexOf("\r\n"u8);
            next = lineEnd < 0 ? octets.Length : next + lineEnd + 2;
        }
        while (next < octets.Length && octets[next] is (byte)' ' or (byte)'\t');

        End = next;
        var field = octets[Start..End];
        var colon = field.IndexOf((byte)':');
        if (colon < 0)
        {
            End = Start;
            return false;
        }

        Name = field[..colon].TrimEnd(" \t"u8);
        Body = field[(colon + 1)..];
        return true;
    }

    /// <summary>True when the field has this name, in any case.</summary>
    public readonly bool Is(string name) => Ascii.EqualsIgnoreCase(Name, name);

    /// <summary><c>name:</c> with a printable name, or a folded continuation of one.</summary>
    private static bool IsFieldLine(ReadOnlySpan<byte> line, bool isFirst)
    {
        if (line[0] is (byte)' ' or (byte)'\t')
            return !isFirst;
        var colon = line.IndexOf((byte)':');
        return colon > 0 && !line[..colon].TrimEnd(" \t"u8).ContainsAnyExceptInRange((byte)33, (byte)126);
    }
}
