using System.Buffers;
using System.Text;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// A stored form as LDAP servers (RFC 2307 §5.3) and Dovecot write it: the name of the scheme in braces, with how the rest is written
/// behind a dot (<c>{SSHA256.HEX}</c>, <c>{PLAIN.B64}</c>), and the rest.
/// </summary>
/// <param name="Name">In upper case.</param>
/// <param name="Encoding">HEX or B64; null where the scheme's own is meant.</param>
internal readonly record struct SchemeWord(string Name, string? Encoding, string Rest)
{
    private const int MaxLength = 32;

    public static SchemeWord? Of(string stored)
    {
        var end = stored.StartsWith('{') ? stored.IndexOf('}', StringComparison.Ordinal) : -1;
        if (end is < 2 or > MaxLength)
            return null;
        var name = stored[1..end].ToUpperInvariant();
        var dot = name.LastIndexOf('.');
        if (dot < 0)
            return new SchemeWord(name, Encoding: null, stored[(end + 1)..]);
        return name[(dot + 1)..] switch
        {
            "HEX" => new SchemeWord(name[..dot], "HEX", stored[(end + 1)..]),
            "B64" or "BASE64" => new SchemeWord(name[..dot], "B64", stored[(end + 1)..]),
            _ => null,
        };
    }

    /// <summary>
    /// What is left of a text when a word of <paramref name="names"/> is taken off its front: the text behind it, decoded; the text itself
    /// where it begins with no brace.
    /// </summary>
    public static string? TextBehind(string stored, params ReadOnlySpan<string> names)
    {
        if (!stored.StartsWith('{'))
            return stored;
        return Of(stored) is { } word && names.Contains(word.Name) ? word.Text() : null;
    }

    /// <summary>The rest as text; null where it is not written as it says.</summary>
    public string? Text()
    {
        if (Encoding is null)
            return Rest;
        try
        {
            return (Encoding == "HEX" ? Hex(Rest) : Base64(Rest)) is { } octets ? Strict.GetString(octets) : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The rest as octets: as it says, else whichever of both ways of writing it is in; null for neither.</summary>
    /// <param name="size">
    /// The octets that there are at least. Digits alone are hexadecimal where they give so many, as other programs decide it.
    /// </param>
    public byte[]? Octets(int size) => Encoding switch
    {
        "HEX" => Hex(Rest),
        "B64" => Base64(Rest),
        _ => Rest.Length >= size * 2 && Hex(Rest) is { } octets ? octets : Base64(Rest),
    };

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static byte[]? Hex(string text)
    {
        var octets = new byte[text.Length / 2];
        return text.Length % 2 == 0 && Convert.FromHexString(text, octets, out _, out _) == OperationStatus.Done ? octets : null;
    }

    /// <summary>With padding or without, and with a dot for the plus sign (passlib's way).</summary>
    internal static byte[]? Base64(string text)
    {
        var plain = text.TrimEnd('=').Replace('.', '+');
        var octets = new byte[(plain.Length * 3 / 4) + 3];
        return plain.Length % 4 != 1
            && !plain.Any(char.IsWhiteSpace)
            && Convert.TryFromBase64String(plain.PadRight((plain.Length + 3) / 4 * 4, '='), octets, out var written)
            ? octets[..written]
            : null;
    }
}
