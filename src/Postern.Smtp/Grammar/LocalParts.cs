using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// The local part of a mailbox: a Dot-string or a Quoted-string (RFC 5321 §4.1.2), with UTF-8 in both (RFC 6531 §3.3). Some hosts give out
/// addresses whose dots stand where no Dot-string has one, and know them without quotes only: those are taken as they are written.
/// </summary>
internal static class LocalParts
{
    private static readonly SearchValues<byte> AtomOctets = SearchValues.Create(
        [
            .. "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"u8,
            .. Enumerable.Range(128, 128).Select(static c => (byte)c),
        ]);

    private static readonly SearchValues<byte> AtomAndDotOctets = SearchValues.Create(
        [(byte)'.', .. Enumerable.Range(0, 256).Select(static c => (byte)c).Where(AtomOctets.Contains)]);

    /// <summary>Measures the local part at the start of <paramref name="octets"/>.</summary>
    public static bool TryMeasure(ReadOnlySpan<byte> octets, out int length)
    {
        length = 0;
        if (octets.IsEmpty)
            return false;
        if (octets[0] == '"')
            length = QuotedStringLength(octets);
        else if (octets.IndexOf((byte)'@') is > 0 and var end
            && !octets[..end].ContainsAnyExcept(AtomAndDotOctets)
            && octets[..end].ContainsAnyExcept((byte)'.'))
            length = end;
        return length is > 0 and <= Mailbox.MaxOctets;
    }

    /// <summary>Whether what was measured has dots that a Dot-string has not, and no quotes around them.</summary>
    public static bool LacksQuotes(ReadOnlySpan<char> localPart) =>
        localPart[0] != '"' && (localPart[0] == '.' || localPart[^1] == '.' || localPart.Contains("..", StringComparison.Ordinal));

    /// <summary>Whether an address as it is written keeps to RFC 5321 in its local part: in its length and in its dots.</summary>
    /// <param name="address">A mailbox.</param>
    public static bool IsStrict(ReadOnlySpan<byte> address) =>
        TryMeasure(address, out var length)
        && length <= Mailbox.MaxLocalPartOctets
        && (address[0] == '"' || IsDotString(address[..length]));

    /// <summary>
    /// Reads a local part that was measured, into the form with the least quoting; false for characters that none may hold.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out string? text)
    {
        Span<byte> buffer = stackalloc byte[Mailbox.MaxOctets];
        scoped var shortest = octets[0] == '"' ? Requote(octets[1..^1], buffer) : octets;
        if (Ascii.IsValid(shortest))
        {
            text = Encoding.ASCII.GetString(shortest);
            return true;
        }

        text = null;
        if (!Utf8Text.IsAllowed(shortest))
            return false;

        // What is compared must be a local part itself: composition turns some characters into plain ASCII.
        var read = Encoding.UTF8.GetString(shortest);
        if (Utf8Text.HidesAscii(read))
            return false;
        var folded = Encoding.UTF8.GetBytes(Mailbox.Fold(read) + '@');
        if (!TryMeasure(folded, out var length) || length != folded.Length - 1)
            return false;
        text = read;
        return true;
    }

    /// <summary>Takes quotes and backslashes away, and puts back those that are needed: never more than there were.</summary>
    private static ReadOnlySpan<byte> Requote(ReadOnlySpan<byte> quoted, Span<byte> shortest)
    {
        var length = 1;
        for (var i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] == '\\')
                i++;
            shortest[length++] = quoted[i];
        }

        if (IsDotString(shortest[1..length]))
            return shortest[1..length];
        shortest[0] = (byte)'"';
        length = 1;
        for (var i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] == '\\')
                i++;
            if (quoted[i] is (byte)'"' or (byte)'\\')
                shortest[length++] = (byte)'\\';
            shortest[length++] = quoted[i];
        }

        shortest[length++] = (byte)'"';
        return shortest[..length];
    }

    private static bool IsDotString(ReadOnlySpan<byte> octets)
    {
        while (true)
        {
            var dot = octets.IndexOf((byte)'.');
            var atom = dot < 0 ? octets : octets[..dot];
            if (atom.IsEmpty || atom.ContainsAnyExcept(AtomOctets))
                return false;
            if (dot < 0)
                return true;
            octets = octets[(dot + 1)..];
        }
    }

    private static int QuotedStringLength(ReadOnlySpan<byte> octets)
    {
        for (var i = 1; i < octets.Length; i++)
        {
            switch (octets[i])
            {
                case (byte)'"':
                    return i == 1 ? 0 : i + 1;
                case (byte)'\\' when i + 1 < octets.Length && octets[i + 1] is >= 32 and <= 126:
                    i++;
                    break;
                case (byte)'\\' or < 32 or 127:
                    return 0;
            }
        }

        return 0;
    }
}
