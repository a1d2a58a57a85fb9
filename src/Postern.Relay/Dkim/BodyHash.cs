using System.Buffers;
using System.Security.Cryptography;

namespace Postern.Relay.Dkim;

/// <summary>
/// The hash of a body as it is signed (RFC 6376 §3.4.3, §3.4.4), of content that comes in pieces cut anywhere; no line is held.
/// </summary>
/// <param name="isBinary">
/// The content leaves octet for octet (BDAT). Otherwise a bare CR or LF leaves as CRLF, as <see cref="Postern.Smtp.Client"/> sends it by
/// DATA, and is signed as that.
/// </param>
/// <param name="most">Only so many octets are hashed (the tag <c>l=</c>); null for all.</param>
internal sealed class BodyHash(DkimCanonicalization how, bool isBinary, long? most = null) : IDisposable
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);
    private static readonly SearchValues<byte> LineEndsAndSpace = SearchValues.Create("\r\n \t"u8);

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly SearchValues<byte> special = how == DkimCanonicalization.Relaxed ? LineEndsAndSpace : LineEnds;
    private readonly byte[] output = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private int written;
    private long left = most ?? long.MaxValue;
    private long lineEnds;
    private bool isApart;
    private bool heldCr;
    private bool isEmpty = true;

    /// <summary>Once it is finished: the body was shorter than what was to be hashed of it.</summary>
    public bool IsShort => most is not null && left > 0;

    public void Append(ReadOnlySpan<byte> body)
    {
        if (heldCr && !body.IsEmpty)
        {
            heldCr = false;
            if (body[0] == '\n')
            {
                EndLine();
                body = body[1..];
            }
            else
            {
                Bare("\r"u8);
            }
        }

        while (!body.IsEmpty)
        {
            var length = body.IndexOfAny(special);
            if (length != 0)
                Put(length < 0 ? body : body[..length]);
            if (length < 0)
                return;
            body = End(body[length], body[(length + 1)..]);
        }
    }

    /// <summary>Writes the hash of all that was appended.</summary>
    /// <param name="sha256">32 octets.</param>
    public void Finish(Span<byte> sha256)
    {
        if (heldCr)
            Bare("\r"u8);
        if (!isEmpty || how == DkimCanonicalization.Simple)
        {
            lineEnds = 0;
            Write("\r\n"u8);
        }

        hash.AppendData(output, 0, written);
        hash.GetHashAndReset(sha256);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(output);
        hash.Dispose();
    }

    /// <summary>Takes an octet that is white space or of a line end; answers what stands behind it.</summary>
    private ReadOnlySpan<byte> End(byte octet, ReadOnlySpan<byte> behind)
    {
        switch (octet)
        {
            case (byte)' ' or (byte)'\t':
                isApart = true;
                return behind;
            case (byte)'\n':
                Bare("\n"u8);
                return behind;
            case var _ when behind.IsEmpty:
                heldCr = true; // whether a newline follows is known with the next piece
                return behind;
            case var _ when behind[0] == '\n':
                EndLine();
                return behind[1..];
            default:
                Bare("\r"u8);
                return behind;
        }
    }

    private void Bare(ReadOnlySpan<byte> octet)
    {
        if (isBinary)
            Put(octet);
        else
            EndLine();
    }

    private void EndLine()
    {
        lineEnds++;
        isApart = false;
    }

    /// <summary>Octets of a line, behind the line ends and the white space that stand before them.</summary>
    private void Put(ReadOnlySpan<byte> octets)
    {
        for (; lineEnds > 0; lineEnds--)
            Write("\r\n"u8);
        if (isApart)
            Write(" "u8);
        isApart = false;
        isEmpty = false;
        Write(octets);
    }

    private void Write(ReadOnlySpan<byte> octets)
    {
        if (octets.Length > left)
            octets = octets[..(int)left];
        left -= octets.Length;
        if (written + octets.Length > output.Length)
        {
            hash.AppendData(output, 0, written);
            written = 0;
        }

        if (octets.Length > output.Length)
        {
            hash.AppendData(octets);
            return;
        }

        octets.CopyTo(output.AsSpan(written));
        written += octets.Length;
    }
}
