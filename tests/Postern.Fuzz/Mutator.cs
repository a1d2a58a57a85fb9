namespace Postern.Fuzz;

/// <summary>Makes an input out of others: a few changes of the kinds that break parsers. Works in one buffer.</summary>
internal sealed class Mutator(Corpus corpus, int maxOctets, IReadOnlyList<byte[]> words)
{
    private static readonly byte[][] LineEnds = ["\r\n"u8.ToArray(), "\r"u8.ToArray(), "\n"u8.ToArray(), "\r\r\n"u8.ToArray(), "\n\r"u8.ToArray(), "\0"u8.ToArray(), "\r\n.\r\n"u8.ToArray(), "\n.\r\n"u8.ToArray(), "\r\n."u8.ToArray()];

    private static readonly byte[] Edges = [0, 1, 9, 10, 13, 32, 34, 46, 58, 60, 61, 62, 64, 92, 127, 128, 0xC0, 0xC3, 0xE2, 0xF0, 0xFF];

    private readonly byte[] buffer = new byte[maxOctets];
    private int length;

    public ReadOnlyMemory<byte> Make(ref Draw draw)
    {
        length = 0;
        Insert(0, corpus.Pick(ref draw));
        for (var changes = 1 + draw.Below(4); changes > 0; changes--)
            Change(ref draw);
        return buffer.AsMemory(0, length);
    }

    private void Change(ref Draw draw)
    {
        var at = draw.Below(length + 1);
        switch (draw.Below(12))
        {
            case 0 or 1:
                Insert(at, Words.Pick(words, ref draw));
                break;
            case 2:
                Insert(at, LineEnds[draw.Below(LineEnds.Length)]);
                break;
            case 3:
                Splice(at, corpus.Pick(ref draw), ref draw);
                break;
            case 4:
                length = at;
                break;
            case 5:
                Remove(at, 1 + draw.Below(8));
                break;
            case 6 when at < length:
                buffer[at] ^= (byte)(1 << draw.Below(8));
                break;
            case 7 when at < length:
                buffer[at] = Edges[draw.Below(Edges.Length)];
                break;
            case 8 when at < length:
                Repeat(at, ref draw);
                break;
            case 9 when at < length && char.IsAsciiLetter((char)buffer[at]):
                buffer[at] ^= 0x20;
                break;
            case 10:
                Line(at, ref draw);
                break;
            default:
                Insert(at, [(byte)draw.Below(256)]);
                break;
        }
    }

    private void Splice(int at, byte[] other, ref Draw draw)
    {
        if (other.Length == 0)
            return;
        var from = draw.Below(other.Length);
        Insert(at, other.AsSpan(from, 1 + draw.Below(other.Length - from)));
    }

    /// <summary>Some octets again and again, mostly few times, now and then up to the longest there may be.</summary>
    private void Repeat(int at, ref Draw draw)
    {
        var size = 1 + draw.Below(Math.Min(16, length - at));
        var part = buffer.AsSpan(at, size).ToArray();
        for (var times = draw.OneIn(200) ? maxOctets : 1 + draw.Below(12); times > 0 && length < maxOctets; times--)
            Insert(at, part);
    }

    /// <summary>Takes a whole line out, or says it twice.</summary>
    private void Line(int at, ref Draw draw)
    {
        var start = buffer.AsSpan(0, at).LastIndexOf((byte)'\n') + 1;
        var end = buffer.AsSpan(at, length - at).IndexOf((byte)'\n');
        var size = (end < 0 ? length : at + end + 1) - start;
        if (draw.OneIn(2))
            Remove(start, size);
        else
            Insert(start, buffer.AsSpan(start, size).ToArray());
    }

    private void Insert(int at, ReadOnlySpan<byte> octets)
    {
        var size = Math.Min(octets.Length, maxOctets - length);
        buffer.AsSpan(at, length - at).CopyTo(buffer.AsSpan(at + size));
        octets[..size].CopyTo(buffer.AsSpan(at));
        length += size;
    }

    private void Remove(int at, int size)
    {
        size = Math.Min(size, length - at);
        buffer.AsSpan(at + size, length - at - size).CopyTo(buffer.AsSpan(at));
        length -= size;
    }
}
