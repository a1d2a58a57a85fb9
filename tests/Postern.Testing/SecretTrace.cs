using System.Text;

namespace Postern.Testing;

/// <summary>Looks for a secret in whatever shape a program may have written it.</summary>
public static class SecretTrace
{
    /// <summary>What is looked for of a longer one, its end: the beginnings of tokens are alike and tell nothing.</summary>
    private const int LongestPart = 32;

    /// <summary>The shape in which <paramref name="content"/> holds one of <paramref name="secrets"/>; null where it holds none.</summary>
    public static string? Find(ReadOnlySpan<byte> content, params IEnumerable<string> secrets)
    {
        foreach (var secret in secrets)
        {
            foreach (var (name, shape) in ShapesOf(secret))
            {
                if (content.IndexOf(shape) >= 0)
                    return $"'{secret}' {name}";
            }
        }

        return null;
    }

    /// <summary>In clear, in UTF-16, in hexadecimal, encoded for a URL, and in base64 at each of the three places where it can begin in a group of a longer message.</summary>
    public static IEnumerable<(string Name, byte[] Shape)> ShapesOf(string secret)
    {
        var part = secret.Length > LongestPart ? secret[^LongestPart..] : secret;
        var octets = Encoding.UTF8.GetBytes(part);
        yield return ("in clear", octets);
        yield return ("in UTF-16", Encoding.Unicode.GetBytes(part));
        yield return ("in UTF-16, big-endian", Encoding.BigEndianUnicode.GetBytes(part));
        yield return ("in hexadecimal", Encoding.ASCII.GetBytes(Convert.ToHexString(octets)));
        yield return ("in hexadecimal", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(octets)));
        yield return ("encoded for a URL", Encoding.ASCII.GetBytes(Uri.EscapeDataString(part)));
        for (var skipped = 0; skipped < 3; skipped++)
        {
            var whole = (octets.Length - skipped) / 3 * 3;
            var encoded = Convert.ToBase64String(octets, skipped, whole);
            yield return ("in base64", Encoding.ASCII.GetBytes(encoded));
            yield return ("in base64 for a URL", Encoding.ASCII.GetBytes(encoded.Replace('+', '-').Replace('/', '_')));
        }
    }
}
