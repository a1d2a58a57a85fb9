namespace Postern.Fuzz.Models;

/// <summary>The replies of a server, one after the other, strictly: CRLF, one code a reply, a code that RFC 5321 and the extensions know, printable text.</summary>
internal sealed class ReplyWalk(ReadOnlyMemory<byte> output)
{
    private static readonly HashSet<int> Known =
        [211, 214, 220, 221, 235, 250, 251, 252, 253, 334, 354, 421, 450, 451, 452, 454, 455, 458, 459, 500, 501, 502, 503, 504, 523, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556];

    private int at;
    private int textStart;
    private int textEnd;

    public bool IsAtEnd => at == output.Length;

    /// <summary>The last line of the last reply.</summary>
    public ReadOnlySpan<byte> Text => output.Span[textStart..textEnd];

    public ReadOnlySpan<byte> Rest => output.Span[at..];

    /// <summary>What follows is no SMTP any more.</summary>
    public void SkipRest() => at = output.Length;

    /// <summary>The code of the next reply; 0 when there is none.</summary>
    public int Next()
    {
        var (first, code) = (true, 0);
        while (at < output.Length)
        {
            var rest = output.Span[at..];
            var length = rest.IndexOf("\r\n"u8);
            BrokenException.Unless(length >= 4, "a line of a reply has a code and ends in CRLF");
            BrokenException.Unless(!rest[..length].ContainsAnyExceptInRange((byte)' ', (byte)'~'), "a reply is printable");
            BrokenException.Unless(int.TryParse(rest[..3], out var lineCode) && (first || lineCode == code), "a reply has one code");
            (first, code) = (false, lineCode);
            (textStart, textEnd) = (at, at + length);
            at += length + 2;
            if (rest[3] == '-')
                continue;
            BrokenException.Unless(rest[3] == ' ' && Known.Contains(code), $"a reply code is a known one: {code}");
            return code;
        }

        BrokenException.Unless(first, "a reply is whole");
        return 0;
    }
}
