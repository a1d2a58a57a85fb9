using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>
/// The lines of a file of aliases as aliases(5) has them: one that begins with a space goes on with the line before, and empty lines and
/// those whose first sign is a # are passed over wherever they stand. The file is read piece by piece.
/// </summary>
/// <param name="content">UTF-8; the caller's.</param>
/// <param name="goesOn">False: lines that begin with a space are lines by themselves, as in included files.</param>
internal sealed class AliasLines(Stream content, bool goesOn = true) : IDisposable
{
    private const int FirstBuffer = 64 * 1024;

    /// <summary>Of one line of the file; whoever has more on it writes it on several.</summary>
    private const int MostOctets = 1024 * 1024;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] buffer = new byte[FirstBuffer];
    private int start;
    private int filled;
    private bool isAtEnd;
    private int read;
    private (int Line, string Text, bool IsIndented)? ahead;

    /// <summary>Where the line at hand begins, from 1.</summary>
    public int Line { get; private set; }

    public string Text { get; private set; } = string.Empty;

    /// <summary>It begins with a space, and there is no line that it could go on with.</summary>
    public bool IsOrphan { get; private set; }

    /// <summary>Why nothing further can be read, behind the last line; null where that was the end of the file.</summary>
    public string? Problem { get; private set; }

    /// <summary>The line that <see cref="Problem"/> is about.</summary>
    public int LineOfProblem => read;

    /// <summary>SHA-256 of the whole file in hexadecimal digits, once all of it is read.</summary>
    public string Digest()
    {
        Problem = null;
        while (!isAtEnd)
        {
            start = filled = 0;
            Fill();
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    public bool TryNext()
    {
        ahead ??= Read();
        if (ahead is not { } first)
            return false;
        (Line, Text, IsOrphan, ahead) = (first.Line, first.Text, goesOn && first.IsIndented, null);
        StringBuilder? longer = null;
        while (goesOn && (ahead = Read()) is { IsIndented: true } more)
            (longer ??= new StringBuilder(Text)).Append(' ').Append(more.Text);
        Text = longer?.ToString() ?? Text;
        return true;
    }

    public void Dispose() => hash.Dispose();

    /// <summary>The next line that says something.</summary>
    private (int Line, string Text, bool IsIndented)? Read()
    {
        while (TryReadLine(out var line))
        {
            read++;
            if (read == 1 && line.StartsWith("\uFEFF"u8))
                line = line[3..];
            var said = line.Trim(" \t\r"u8);
            if (said.IsEmpty || said[0] == '#')
                continue;
            if (Utf8.IsValid(said))
                return (read, Encoding.UTF8.GetString(said), line[0] is (byte)' ' or (byte)'\t');
            Problem = "this line is not UTF-8";
            return null;
        }

        return null;
    }

    private bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        line = default;
        for (var looked = 0; Problem is null; looked = filled - start, Fill())
        {
            var end = buffer.AsSpan(start + looked, filled - start - looked).IndexOf((byte)'\n');
            if (end < 0 && !isAtEnd)
            {
                if (filled - start >= MostOctets)
                    (read, Problem) = (read + 1, "this line is longer than 1 MiB");
                continue;
            }

            if (end < 0 && start == filled)
                return false;
            line = buffer.AsSpan(start, end < 0 ? filled - start : looked + end);
            start = end < 0 ? filled : start + looked + end + 1;
            return true;
        }

        return false;
    }

    /// <summary>Reads more behind what is there and has not been taken.</summary>
    private void Fill()
    {
        if (isAtEnd || Problem is not null)
            return;
        if (start > 0)
        {
            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            (start, filled) = (0, filled - start);
        }

        if (filled == buffer.Length)
            Array.Resize(ref buffer, buffer.Length * 2);
        var count = content.Read(buffer, filled, buffer.Length - filled);
        hash.AppendData(buffer, filled, count);
        filled += count;
        isAtEnd = count == 0;
    }
}
