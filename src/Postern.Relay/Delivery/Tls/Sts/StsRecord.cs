using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Delivery.Tls.Sts;

/// <summary>The TXT record that announces an MTA-STS policy (RFC 8461 §3.1).</summary>
internal static class StsRecord
{
    private const string Version = "v=STSv1";
    private const int MaxId = 32;

    public static string NameOf(string domain) => $"_mta-sts.{domain}";

    /// <summary>
    /// The id of the one record that there is; null where there is none, more than one, or it breaks the syntax: the domain then has no
    /// policy.
    /// </summary>
    public static string? IdOf(IEnumerable<DnsRecord> records)
    {
        var announcing = records.OfType<DnsRecord.Txt>().Select(static r => r.Text).Where(IsOne).ToList();
        return announcing is [var only] ? IdIn(only) : null;
    }

    private static bool IsOne(string text) =>
        text.StartsWith(Version, StringComparison.Ordinal) && text.AsSpan(Version.Length).TrimStart(" \t") is [';', ..] or [];

    private static string? IdIn(string text)
    {
        foreach (var field in text.Split(';').Skip(1))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !field.AsSpan(0, equals).Trim(" \t").SequenceEqual("id"))
                continue;
            var id = field[(equals + 1)..].Trim(' ', '\t');
            return id.Length is > 0 and <= MaxId && id.All(char.IsAsciiLetterOrDigit) ? id : null;
        }

        return null;
    }
}
