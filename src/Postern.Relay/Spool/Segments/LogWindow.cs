using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Spool.Segments;

/// <summary>A moving view of a file, for reading it once from end to end. Octets that the disk does not give are zero, and noted.</summary>
internal sealed class LogWindow(ISegmentFiles files)
{
    private const int UsualSize = 1 << 20;
    private const int BlockSize = 4096;

    private byte[] buffer = new byte[UsualSize];
    private SafeFileHandle? file;
    private long start;
    private int filled;

    /// <summary>Octets of the file.</summary>
    public long Length { get; private set; }

    /// <summary>Why some block could not be read; null when all could.</summary>
    public string? Trouble { get; private set; }

    public void Open(SafeFileHandle file)
    {
        this.file = file;
        Length = RandomAccess.GetLength(file);
        start = filled = 0;
        Trouble = null;
    }

    /// <summary>The octets from <paramref name="offset"/>, fewer at the end of the file. Good until the next call.</summary>
    public ReadOnlySpan<byte> At(long offset, int count)
    {
        count = (int)Math.Min(count, Math.Max(0, Length - offset));
        if (offset < start || offset + count > start + filled)
            Load(offset, count);
        return buffer.AsSpan((int)(offset - start), count);
    }

    /// <summary>What lies in memory from <paramref name="offset"/>, at least <paramref name="least"/> octets unless the file ends.</summary>
    public ReadOnlySpan<byte> From(long offset, int least)
    {
        At(offset, least);
        return buffer.AsSpan((int)(offset - start), (int)(start + filled - offset));
    }

    private void Load(long offset, int count)
    {
        if (count > buffer.Length)
            buffer = new byte[count];
        start = offset;
        filled = (int)Math.Min(buffer.Length, Length - offset);
        for (var done = 0; done < filled;)
            done += Read(buffer.AsSpan(done, filled - done), offset + done);
    }

    private int Read(Span<byte> octets, long offset)
    {
        try
        {
            var count = files.Read(file!, octets, offset);
            if (count > 0)
                return count;
        }
        catch (IOException e) when (octets.Length > BlockSize)
        {
            Trouble = e.Message;
            return Read(octets[..BlockSize], offset);
        }
        catch (IOException e)
        {
            Trouble = e.Message;
        }

        octets.Clear();
        return octets.Length;
    }
}
