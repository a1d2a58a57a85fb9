using Postern.Fuzz.Models;
using Postern.Smtp.Message;

namespace Postern.Fuzz.Targets;

/// <summary>Mail data in pieces of any size: the content, the end and the bare line ends that reading octet by octet finds.</summary>
internal sealed class ContentTarget : ITarget
{
    private readonly byte[] stream = new byte[400 + 5];
    private readonly List<byte> content = [];

    public string Name => "content";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of("a\r\n.\r\n", "..\r\n.a\r\n", "a\n.\nb", "a\r.\rb", "a\r\n.\rb", "\r\n.\n", ".\r\nNOOP", "\r\r\n.\r\n", "\0.\r\n");

    public int MaxOctets => 400;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        // Every input ends, somewhere.
        input.Span.CopyTo(stream);
        "\r\n.\r\n"u8.CopyTo(stream.AsSpan(input.Length));
        var octets = stream.AsSpan(0, input.Length + 5);
        var expected = ContentModel.Read(octets);
        var draw = Draw.From(input.Span);
        var largest = draw.OneIn(2) ? 3 : 100;

        var unstuffer = new DotUnstuffer();
        content.Clear();
        var (start, end) = (0, 0);
        while (!unstuffer.IsComplete)
        {
            BrokenException.Unless(end < octets.Length, "the end of data is found");
            end = Math.Min(octets.Length, end + 1 + draw.Below(largest));
            start += Run(ref unstuffer, octets[start..end]);
            BrokenException.Unless(unstuffer.IsComplete || end - start <= 4, "at most four octets wait to be judged");
        }

        BrokenException.Unless(start == expected.End, $"data ends at CRLF.CRLF and nowhere else: {start} is not {expected.End}");
        BrokenException.Unless(unstuffer.HasBareLineEnd == expected.HasBareLineEnd, "a bare CR or LF is noticed");
        BrokenException.Unless(unstuffer.HasNul == expected.HasNul, "a NUL is noticed");
        BrokenException.Unless(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(content).SequenceEqual(expected.Octets), "the content is what was sent");

        var signal = new Signal();
        signal.Add(unstuffer.HasBareLineEnd);
        signal.Add(unstuffer.HasNul);
        signal.AddSize(content.Count);
        signal.Add(expected.End == octets.Length);
        signal.Add(octets.Count((byte)'.') - content.Count(static c => c == '.'));
        return new(signal.Value);
    }

    private int Run(ref DotUnstuffer unstuffer, ReadOnlySpan<byte> input)
    {
        var used = 0;
        while (!unstuffer.IsComplete)
        {
            unstuffer.Next(input[used..], out var skip, out var length, out var after);
            content.AddRange(input.Slice(used + skip, length));
            used += skip + length + after;
            if (skip + length + after == 0)
                break;
        }

        return used;
    }
}
