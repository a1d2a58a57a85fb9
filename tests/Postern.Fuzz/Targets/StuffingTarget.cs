using Postern.Fuzz.Models;
using Postern.Smtp.Client;

namespace Postern.Fuzz.Targets;

/// <summary>Content sent on, cut anywhere: exactly one end of data, no bare CR or LF, and unstuffed it is the content with CRLF line ends.</summary>
internal sealed class StuffingTarget : ITarget
{
    private readonly byte[] sent = new byte[DotStuffer.MaxLength(400) * 2];
    private readonly byte[] part = new byte[DotStuffer.MaxLength(400)];

    public string Name => "stuffing";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of("", ".", "a\r\n.\r\nb", "a\n.\nb", "a\r.\rb", "\r", "\n", "a\r\n\n.\r\n", "..\r\n");

    public int MaxOctets => 400;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var octets = input.Span;
        var draw = Draw.From(octets);
        var largest = draw.OneIn(2) ? 2 : 200;
        var stuffer = new DotStuffer();
        var length = 0;
        for (var at = 0; at < octets.Length;)
        {
            var piece = octets.Slice(at, Math.Min(octets.Length - at, 1 + draw.Below(largest)));
            var written = stuffer.Write(piece, part);
            BrokenException.Unless(written <= DotStuffer.MaxLength(piece.Length), "no more is written than announced");
            part.AsSpan(0, written).CopyTo(sent.AsSpan(length));
            length += written;
            at += piece.Length;
        }

        length += stuffer.Finish(sent.AsSpan(length));
        var received = ContentModel.Read(sent.AsSpan(0, length));
        BrokenException.Unless(received.End == length, "the end of data is the end of what is sent");
        BrokenException.Unless(!received.HasBareLineEnd, "no bare CR or LF is sent");
        BrokenException.Unless(received.Octets.AsSpan().SequenceEqual(Sent(octets)), "what is received is what was sent");

        var signal = new Signal();
        signal.AddSize(octets.Length);
        signal.Add(Math.Min(8, length - octets.Length));
        return new(signal.Value);
    }

    /// <summary>Content with its line ends made right, the last one too.</summary>
    private static byte[] Sent(ReadOnlySpan<byte> content)
    {
        var mended = ContentModel.Mend(content);
        return mended.Length == 0 || mended[^1] == '\n' ? mended : [.. mended, .. "\r\n"u8];
    }
}
