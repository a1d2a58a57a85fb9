using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>A moving view of a file, for reading it once from end to end. What the disk does not give is an error, never zeros.</summary>
internal sealed class LogWindow(ISegmentFiles files)
{
    private const int UsualSize = 1 << 20;

    private byte[] buffer = new byte[UsualSize];
    private SafeFileHandle? file;
    private string path = string.Empty;
    private long start;
    private int filled;

    /// <summary>Octets of the file.</summary>
    public long Length { get; private set; }

    /// <exception cref="IOException">Its length cannot be told.</exception>
    public void Open(SafeFileHandle file, string path)
    {
        this.file = file;
        this.path = path;
        start = filled = 0;
        try
        {
            Length = files.Length(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the length of {path} cannot be told: {Words(e)}", e);
        }
    }

    /// <summary>The octets from <paramref name="offset"/>, fewer at the end of the file. Good until the next call.</summary>
    /// <exception cref="IOException">The disk does not give them.</exception>
    public ReadOnlySpan<byte> At(long offset, int count)
    {
        count = (int)Math.Min(count, Math.Max(0, Length - offset));
        if (offset < start || offset + count > start + filled)
            Load(offset, count);
        return buffer.AsSpan((int)(offset - start), count);
    }

    /// <summary>
    /// What lies in memory from <paramref name="offset"/>, at least <paramref name="least"/> octets unless the file ends.
    /// </summary>
    /// <exception cref="IOException">The disk does not give them.</exception>
    public ReadOnlySpan<byte> From(long offset, int least)
    {
        At(offset, least);
        return buffer.AsSpan((int)(offset - start), (int)(start + filled - offset));
    }

    private void Load(long offset, int count)
    {
        if (count > buffer.Length)
            buffer = new byte[count];
        (start, filled) = (offset, 0);
        var wanted = (int)Math.Min(buffer.Length, Length - offset);
        for (var done = 0; done < wanted;)
            done += Read(buffer.AsSpan(done, wanted - done), offset + done);
        filled = wanted;
    }

    private int Read(Span<byte> octets, long offset)
    {
        try
        {
            return files.Read(file!, octets, offset) is > 0 and var count
                ? count
                : throw new IOException(
                    string.Create(CultureInfo.InvariantCulture, $"the file ends there, and had {Length} octets a moment before"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{path} cannot be read at octet {offset}: {Words(e)}"), e);
        }
    }

    /// <summary>With the number of the error, where the system gave one.</summary>
    private static string Words(Exception e) =>
        e is IOException { HResult: > 0 and var errno }
            ? string.Create(CultureInfo.InvariantCulture, $"{e.Message} (errno {errno})")
            : e.Message;
}
