using System.Globalization;
using System.Text;

namespace Postern.Smtp.Replies;

/// <summary>
/// One SMTP reply (RFC 5321 §4.2). Immutable; writing it is the session's job alone. The text holds printable US-ASCII: any other
/// character becomes a question mark, so that no reply can be split by what a client sent.
/// </summary>
public sealed class Reply
{
    private byte[]? encoded;

    /// <param name="code">200 to 599.</param>
    /// <param name="status">Null where a reply must carry none: greeting, EHLO, challenges (RFC 2034 §4).</param>
    /// <param name="lines">At least one line, without CRLF.</param>
    public Reply(int code, EnhancedStatus? status, params IReadOnlyList<string> lines)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(code, 200);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code, 599);
        ArgumentOutOfRangeException.ThrowIfZero(lines.Count);
        Code = code;
        Status = status;
        var printable = new string[lines.Count];
        for (var i = 0; i < printable.Length; i++)
            printable[i] = Printable(lines[i]);
        Lines = printable;
    }

    /// <summary>Three digits, 200 to 599.</summary>
    public int Code { get; }

    /// <summary>Null where the reply carries none.</summary>
    public EnhancedStatus? Status { get; }

    /// <summary>The text of each line, without code and CRLF; at least one.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>2xx and 3xx.</summary>
    public bool IsPositive => Code < 400;

    /// <summary>4xx: the same command may succeed later.</summary>
    public bool IsTransient => Code is >= 400 and < 500;

    /// <summary>The reply as it stands on the wire, CRLF included; made once.</summary>
    public ReadOnlyMemory<byte> Encoded => encoded ??= Encode();

    /// <summary>The same with other words; null keeps its own.</summary>
    internal Reply Saying(string? text) => text is null ? this : new Reply(Code, Status, text);

    /// <summary>For logs, in one line.</summary>
    public override string ToString() =>
        Status is { } status ? $"{Code} {status} {string.Join(" / ", Lines)}" : $"{Code} {string.Join(" / ", Lines)}";

    private byte[] Encode()
    {
        Span<byte> prefix = stackalloc byte[16];
        Code.TryFormat(prefix, out var codeLength, provider: CultureInfo.InvariantCulture);
        var prefixLength = codeLength + 1;
        if (Status is { } status)
        {
            status.Format(prefix[prefixLength..], out var statusLength);
            prefixLength += statusLength;
            prefix[prefixLength++] = (byte)' ';
        }

        var length = 0;
        foreach (var line in Lines)
            length += prefixLength + line.Length + 2;
        var octets = new byte[length];
        var at = 0;
        for (var i = 0; i < Lines.Count; i++)
        {
            prefix[codeLength] = (byte)(i == Lines.Count - 1 ? ' ' : '-');
            prefix[..prefixLength].CopyTo(octets.AsSpan(at));
            at += prefixLength + Encoding.ASCII.GetBytes(Lines[i], octets.AsSpan(at + prefixLength));
            "\r\n"u8.CopyTo(octets.AsSpan(at));
            at += 2;
        }

        return octets;
    }

    private static string Printable(string line) =>
        line.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? string.Create(line.Length, line, static (chars, source) =>
            {
                for (var i = 0; i < chars.Length; i++)
                    chars[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
            })
            : line;
}
