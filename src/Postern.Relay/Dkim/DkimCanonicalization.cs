using System.Buffers;

namespace Postern.Relay.Dkim;

/// <summary>What of a message may change on its way (RFC 6376 §3.4).</summary>
public enum DkimCanonicalization
{
    /// <summary>White space and the folding of lines.</summary>
    Relaxed,

    /// <summary>Nothing but empty lines at the end.</summary>
    Simple,
}

/// <summary>Header fields as they are signed (RFC 6376 §3.4.1, §3.4.2).</summary>
internal static class CanonicalField
{
    /// <summary>Writes one field, without the CRLF at its end.</summary>
    /// <param name="field">From its name to its end, with or without the last CRLF.</param>
    public static void Write(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> field, DkimCanonicalization how)
    {
        field = field.EndsWith("\r\n"u8) ? field[..^2] : field;
        if (how == DkimCanonicalization.Simple)
        {
            to.Write(field);
            return;
        }

        var colon = field.IndexOf((byte)':');
        var space = to.GetSpan(field.Length);
        var written = 0;
        foreach (var octet in field[..colon].TrimEnd(" \t"u8))
            space[written++] = octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;
        space[written++] = (byte)':';
        to.Advance(written + Reduce(field[(colon + 1)..], space[written..]));
    }

    /// <summary>Unfolded, one space for each stretch of white space, none at the ends; answers the octets written.</summary>
    private static int Reduce(ReadOnlySpan<byte> body, Span<byte> to)
    {
        var written = 0;
        var isApart = false;
        for (var i = 0; i < body.Length; i++)
        {
            var octet = body[i];
            if (octet == '\r' && i + 1 < body.Length && body[i + 1] == '\n')
            {
                i++;
                continue;
            }

            if (octet is (byte)' ' or (byte)'\t')
            {
                isApart = true;
                continue;
            }

            if (isApart && written > 0)
                to[written++] = (byte)' ';
            isApart = false;
            to[written++] = octet;
        }

        return written;
    }
}
