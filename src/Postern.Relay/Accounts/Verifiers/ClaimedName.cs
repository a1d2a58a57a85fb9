using System.Text;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// What a client calls itself in a message that is passed on: whose budget its guess is, and what the log says. What cannot be read is
/// nobody's, and nothing rests on it.
/// </summary>
internal static class ClaimedName
{
    private const int MostOctets = 4 * LoginNames.MaxLength;

    /// <summary>Null where the message holds no name.</summary>
    /// <param name="mechanism">In upper case.</param>
    public static string? In(string mechanism, ReadOnlySpan<byte> message)
    {
        var name = mechanism switch
        {
            "CRAM-MD5" => message.LastIndexOf((byte)' ') is > 0 and var space ? message[..space] : default, // RFC 2195 §2
            "DIGEST-MD5" => Between(message, "username=\""u8, (byte)'"'), // RFC 2831 §2.1.2
            "OAUTHBEARER" => InHeader(message, "a="u8), // RFC 7628 §3.1
            "XOAUTH2" => Between(message, "user="u8, 1),
            _ when mechanism.StartsWith("SCRAM-", StringComparison.Ordinal) => InScram(message),
            _ => default,
        };
        if (name.Length is 0 or > MostOctets)
            return null;
        var text = Encoding.UTF8.GetString(name);
        // "=2C" and "=3D" stand for what would end a name (RFC 5801 §4, RFC 5802 §5.1).
        return mechanism is "OAUTHBEARER" || mechanism.StartsWith("SCRAM-", StringComparison.Ordinal)
            ? text.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal)
            : text;
    }

    /// <summary>The first message alone has a name: <c>n,,n=lisa,r=…</c> (RFC 5802 §7).</summary>
    private static ReadOnlySpan<byte> InScram(ReadOnlySpan<byte> message)
    {
        if (message is not [(byte)'n' or (byte)'y' or (byte)'p', ..])
            return default;
        for (var commas = 0; commas < 2; commas++)
        {
            var comma = message.IndexOf((byte)',');
            if (comma < 0)
                return default;
            message = message[(comma + 1)..];
        }

        return message.StartsWith("n="u8) ? Until(message[2..], (byte)',') : default;
    }

    /// <summary>The authorization identity of a GS2 header: <c>n,a=lisa,</c>.</summary>
    private static ReadOnlySpan<byte> InHeader(ReadOnlySpan<byte> message, ReadOnlySpan<byte> start) =>
        message.IndexOf((byte)',') is >= 0 and var comma && message[(comma + 1)..].StartsWith(start)
            ? Until(message[(comma + 1 + start.Length)..], (byte)',')
            : default;

    private static ReadOnlySpan<byte> Between(ReadOnlySpan<byte> message, ReadOnlySpan<byte> start, byte end) =>
        message.IndexOf(start) is >= 0 and var at ? Until(message[(at + start.Length)..], end) : default;

    private static ReadOnlySpan<byte> Until(ReadOnlySpan<byte> text, byte end) =>
        text.IndexOf(end) is >= 0 and var at ? text[..at] : default;
}
