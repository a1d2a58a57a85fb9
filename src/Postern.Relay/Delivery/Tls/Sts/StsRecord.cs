using System.Buffers;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Delivery.Tls.Sts;

/// <summary>The TXT record that announces an MTA-STS policy (RFC 8461 §3.1).</summary>
internal static class StsRecord
{
    private const string Version = "v=STSv1";
    private const int MaxId = 32;
    private const int MaxName = 32;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

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
        text.StartsWith(Version, StringComparison.Ordinal) && text.AsSpan(Version.Length).TrimStart(" \t") is [';', ..];

    /// <summary>Of a field that comes twice the first counts (§3.2).</summary>
    private static string? IdIn(string text)
    {
        string? id = null;
        var fields = text.Split(';');
        for (var i = 1; i < fields.Length; i++)
        {
            var field = fields[i].AsSpan().Trim(" \t");
            // Behind the last semicolon there may be nothing.
            if (field.IsEmpty && i == fields.Length - 1 && i > 1)
                continue;
            var equals = field.IndexOf('=');
            if (equals < 1 || !IsName(field[..equals]) || !IsValue(field[(equals + 1)..]))
                return null;
            if (!field[..equals].SequenceEqual("id"))
                continue;
            if (field.Length - equals - 1 > MaxId || field[(equals + 1)..].HasOtherThanLettersAndDigits())
                return null;
            id ??= field[(equals + 1)..].ToString();
        }

        return id;
    }

    private static bool IsName(ReadOnlySpan<char> name) =>
        name.Length <= MaxName && char.IsAsciiLetterOrDigit(name[0]) && !name.ContainsAnyExcept(NameCharacters);

    /// <summary>Visible, and neither ';' nor '='.</summary>
    private static bool IsValue(ReadOnlySpan<char> value) =>
        !value.IsEmpty && !value.ContainsAnyExceptInRange('!', '~') && !value.Contains('=');

    private static bool HasOtherThanLettersAndDigits(this ReadOnlySpan<char> text)
    {
        foreach (var character in text)
        {
            if (!char.IsAsciiLetterOrDigit(character))
                return true;
        }

        return false;
    }
}
