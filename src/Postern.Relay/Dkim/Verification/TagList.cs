using System.Text;

namespace Postern.Relay.Dkim.Verification;

/// <summary>The tags of a signature's field (RFC 6376 §3.2).</summary>
internal static class TagList
{
    /// <summary>A field beyond that is no signature that a program wrote, and is not looked at.</summary>
    private const int MostOctets = 16 * 1024;

    /// <summary>Null where the field is no list of tags.</summary>
    /// <param name="field">From its name to its end.</param>
    public static Dictionary<string, string>? Of(ReadOnlySpan<byte> field) =>
        field.Length <= MostOctets && Ascii.IsValid(field)
            ? DkimRecord.TagsOf(Encoding.ASCII.GetString(field[(field.IndexOf((byte)':') + 1)..]))
            : null;

    /// <summary>The field with an empty <c>b=</c>, over which its signature was made (RFC 6376 §3.5).</summary>
    public static byte[] WithoutValue(ReadOnlySpan<byte> field)
    {
        for (var at = field.IndexOf((byte)':') + 1; at < field.Length;)
        {
            var length = field[at..].IndexOf((byte)';');
            var end = length < 0 ? field.Length : at + length;
            var equals = field[at..end].IndexOf((byte)'=');
            if (equals >= 0 && field.Slice(at, equals).Trim(" \t\r\n"u8).SequenceEqual("b"u8))
                return [.. field[..(at + equals + 1)], .. field[end..]];
            at = end + 1;
        }

        return field.ToArray();
    }

    /// <summary>Base64, without the white space that a field may have in it; null where it is none.</summary>
    public static byte[]? Octets(string? base64)
    {
        if (string.IsNullOrEmpty(base64))
            return null;
        var octets = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, octets, out var written) ? octets[..written] : null;
    }
}
