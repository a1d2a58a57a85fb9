using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Replies;

/// <summary>
/// Reads the replies of a server (RFC 5321 §4.2). Strict and bounded: lines end in CRLF only, every line of a reply has the same
/// code, and lengths are counted while octets arrive. After any fault the stream is out of step: close it.
/// </summary>
/// <remarks>Owned by one dialogue; not for concurrent use. Does not own the stream.</remarks>
internal sealed class ReplyReader(Stream stream, ReplyLimits limits)
{
    private const int CodeLength = 3;

    private byte[] buffer = new byte[Math.Max(4096, limits.LineOctets)];
    private readonly List<string> lines = [];
    private int start;
    private int end;
    private int longest;
    private int code;
    private int total;
    private EnhancedStatus? status;

    /// <summary>True when octets lie here that no reply has claimed yet. After a 220 to STARTTLS this is an attack (RFC 3207 §6).</summary>
    public bool HasBufferedInput => start < end;

    /// <summary>Completes synchronously when the reply already lies in the buffer.</summary>
    /// <param name="lineOctets">What a line of this reply may be, where that is more than the limits say.</param>
    /// <exception cref="OperationCanceledException">The reply did not come in time.</exception>
    public async ValueTask<ReplyRead> ReadAsync(CancellationToken ct, int lineOctets = 0)
    {
        longest = Math.Max(limits.LineOctets, lineOctets);
        if (buffer.Length < longest)
            Array.Resize(ref buffer, longest);
        lines.Clear();
        total = 0;
        while (true)
        {
            if (lines.Count == 0 && CommandLine.IsTlsRecord(buffer.AsSpan(start, end - start)))
                return ReplyRead.Malformed(
                    "the server speaks TLS where a reply in clear was expected: TLS comes first on this port (smtps://)");
            while (buffer.AsSpan(start, end - start).IndexOf((byte)'\n') is >= 0 and var newline)
            {
                var line = buffer.AsSpan(start, newline + 1);
                start += line.Length;
                if (TakeLine(line, out var isLast) is { } wrong)
                    return ReplyRead.Malformed(wrong);
                if (isLast)
                    return new ReplyRead(new Reply(code, status, lines), ReplyFault.None, Detail: null);
            }

            if (end - start >= longest)
                return ReplyRead.Malformed($"a reply line is longer than {longest} octets");
            Compact();
            int read;
            try
            {
                read = await stream.ReadAsync(buffer.AsMemory(end), ct).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                return ReplyRead.Lost((e.InnerException ?? e).Message);
            }

            if (read == 0)
                return ReplyRead.Lost(total == 0 && start == end ? "connection closed" : "connection closed within a reply");
            end += read;
        }
    }

    /// <summary>Takes one line, its newline included; answers what is wrong with it, or null.</summary>
    private string? TakeLine(ReadOnlySpan<byte> line, out bool isLast)
    {
        isLast = false;
        total += line.Length;
        if (line.Length > longest)
            return $"a reply line is longer than {longest} octets";
        if (total > limits.TotalOctets)
            return $"the reply is longer than {limits.TotalOctets} octets";
        if (lines.Count == limits.Lines)
            return $"the reply has more than {limits.Lines} lines";
        if (line is not [.. var content, (byte)'\r', (byte)'\n'] || content.Contains((byte)'\r'))
            return "a reply line does not end in CRLF";
        if (!TryReadCode(content, out var lineCode) || (content.Length > CodeLength && content[CodeLength] is not ((byte)' ' or (byte)'-')))
            return "a line is not an SMTP reply";
        if (lines.Count > 0 && lineCode != code)
            return $"the lines of one reply have different codes, {code} and {lineCode}";
        code = lineCode;
        isLast = content.Length == CodeLength || content[CodeLength] == ' ';
        lines.Add(TextOf(content.Length == CodeLength ? [] : content[(CodeLength + 1)..]));
        return null;
    }

    /// <summary>Cuts the enhanced status code off the text; the first line's one speaks for the reply (RFC 2034 §4).</summary>
    private string TextOf(ReadOnlySpan<byte> text)
    {
        var found = TryTakeStatus(ref text);
        if (lines.Count == 0)
            status = found;
        return Encoding.Latin1.GetString(text);
    }

    private EnhancedStatus? TryTakeStatus(ref ReadOnlySpan<byte> text)
    {
        const int Longest = 9;
        if (text.Length < 5 || text[1] != '.' || text[0] - '0' != code / 100)
            return null;
        var space = text.IndexOf((byte)' ');
        var length = space < 0 ? text.Length : space;
        if (length > Longest)
            return null;
        Span<char> chars = stackalloc char[length];
        if (Ascii.ToUtf16(text[..length], chars, out _) != OperationStatus.Done || EnhancedStatus.Parse(chars) is not { } parsed)
            return null;
        text = space < 0 ? [] : text[(space + 1)..];
        return parsed;
    }

    private static bool TryReadCode(ReadOnlySpan<byte> line, out int code)
    {
        code = 0;
        if (line.Length < CodeLength || line[0] is < (byte)'2' or > (byte)'5')
            return false;
        if (line[1] is < (byte)'0' or > (byte)'9' || line[2] is < (byte)'0' or > (byte)'9')
            return false;
        code = ((line[0] - '0') * 100) + ((line[1] - '0') * 10) + (line[2] - '0');
        return true;
    }

    private void Compact()
    {
        if (start == 0)
            return;
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        end -= start;
        start = 0;
    }
}

/// <summary>What reading one reply came to: a reply, or a fault and what was wrong in words.</summary>
internal readonly record struct ReplyRead(Reply? Reply, ReplyFault Fault, string? Detail)
{
    internal static ReplyRead Malformed(string detail) => new(Reply: null, ReplyFault.Malformed, detail);

    internal static ReplyRead Lost(string detail) => new(Reply: null, ReplyFault.Lost, detail);
}

/// <summary>Why no reply could be read.</summary>
internal enum ReplyFault
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>What came is no SMTP reply, or exceeds <see cref="ReplyLimits"/>.</summary>
    Malformed,

    /// <summary>The peer closed or reset the connection before the reply was complete.</summary>
    Lost,
}

/// <summary>What one reply of a peer may cost. RFC 5321 §4.5.3.1.5 allows 512 octets a line; real servers go beyond.</summary>
/// <param name="LineOctets">A line, CRLF included.</param>
/// <param name="Lines">Lines of one reply.</param>
/// <param name="TotalOctets">All lines of one reply.</param>
public sealed record ReplyLimits(int LineOctets = 2048, int Lines = 128, int TotalOctets = 32 * 1024)
{
    /// <summary>Generous to servers, and finite.</summary>
    public static ReplyLimits Default { get; } = new();
}
