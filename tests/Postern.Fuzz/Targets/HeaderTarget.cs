using System.Text;
using Postern.Smtp.Message;

namespace Postern.Fuzz.Targets;

/// <summary>Header sections: the same end in any pieces, fields without gaps, and nothing in a field of ours that could end it.</summary>
internal sealed class HeaderTarget : ITarget
{
    private readonly StringBuilder text = new();

    public string Name => "header";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "Subject: x\r\n\r\nbody", "A: b\r\n c\r\n\td\r\n\r\n", "no field\r\n", "Received : x\r\n\r\n", ": x\r\n", "\r\n", " x\r\n", "Authentication-Results: (a(b)) \"mail.\\example.org\"; none\r\n\r\n", "A:\r\nB:\r\n.\r\n");

    public int MaxOctets => 800;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var octets = input.Span;
        var (whole, from) = (0, 0);
        whole = HeaderSection.FindEnd(octets, ref from);
        BrokenException.Unless(EndInPieces(octets) == whole, "the same end of the header section in any pieces");
        signal.Add(whole < 0);
        var walk = new HeaderSection(octets[..(whole < 0 ? from : whole)]);
        var at = 0;
        while (walk.TryNext())
        {
            BrokenException.Unless(walk.Start == at && walk.End > at, "fields follow each other");
            BrokenException.Unless(!walk.Name.IsEmpty && !walk.Name.ContainsAnyExceptInRange((byte)33, (byte)126), "a field name is printable");
            at = walk.End;
            signal.AddSize(walk.Body.Length);
            signal.Add(AuthenticationResultsField.Claims(walk.Body, "mail.example.org"));
        }

        BrokenException.Unless(at == (whole < 0 ? from : whole), "the fields are the whole section");
        Write(octets);
        return new(signal.Value);
    }

    private static int EndInPieces(ReadOnlySpan<byte> octets)
    {
        var draw = Draw.From(octets);
        var from = 0;
        for (var end = 0; ; end = Math.Min(octets.Length, end + 1 + draw.Below(64)))
        {
            if (HeaderSection.FindEnd(octets[..end], ref from) is >= 0 and var found)
                return found;
            if (end == octets.Length)
                return -1;
        }
    }

    /// <summary>A field of ours with these octets as its words: one field, whatever they hold.</summary>
    private void Write(ReadOnlySpan<byte> words)
    {
        text.Clear();
        var word = Encoding.Latin1.GetString(words[..Math.Min(100, words.Length)]);
        HeaderField.Append(text, "X-Test", word, word, "end");
        var written = text.ToString();
        BrokenException.Unless(written.EndsWith(" end\r\n", StringComparison.Ordinal) || written.EndsWith("\r\n\tend\r\n", StringComparison.Ordinal), "a field ends where we end it");
        BrokenException.Unless(!written.Replace("\r\n\t", string.Empty, StringComparison.Ordinal)[..^2].AsSpan().ContainsAny('\r', '\n', '\0'), "no word ends a field");
    }
}
