using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Reading;

/// <summary>Every kind of value that a configuration holds.</summary>
internal static class Kinds
{
    public static Kind<string> Text { get; } = new("text", "some text", TryText, []);

    /// <summary>Made absolute by <see cref="Section"/>, which knows the file's directory.</summary>
    public static Kind<string> FilePath { get; } = new("path", "a path", TryText, []);

    /// <summary>
    /// Followed by <see cref="Section"/>, which knows the file's directory. What was written is not repeated: it may be a secret.
    /// </summary>
    public static Kind<string> Secret { get; } = new(
        "secret", "the secret itself, file:PATH, credential:NAME, vault:PATH#KEY or ${VARIABLE}", TryText, [])
    {
        Why = static _ => "a secret is one line without control characters; or write file:PATH, credential:NAME, vault:PATH#KEY or "
            + "${VARIABLE}",
    };

    public static Kind<int> Count { get; } = new("number", "a whole number, at least 1", TryCount, []);

    /// <summary>A count that is never more than <paramref name="most"/>.</summary>
    public static Kind<int> UpTo(int most)
    {
        return new("number", string.Create(CultureInfo.InvariantCulture, $"a whole number from 1 to {most}"), TryUpTo, []);

        bool TryUpTo(string text, out int value) => TryCount(text, out value) && value <= most;
    }

    public static Kind<long> Size { get; } = new("size", "a size such as 50MB or 64KiB, at least 1", TrySize, []);

    public static Kind<TimeSpan> Duration { get; } = new(
        "duration", "a duration such as 30s, 5m, 4h or 5d, longer than nothing", TryDuration, []);

    public static Kind<RateLimit> Budget { get; } = new(
        "count/time", "a count and a time such as 40/1h, at most 31 days", RateLimit.TryParse, []);

    public static Kind<double> Factor { get; } = new("number", "a number from 1 to 100, such as 2 or 1.5", TryFactor, []);

    public static Kind<Domain> DomainName { get; } = new("domain", "a domain such as example.org", TryDomain, []);

    public static Kind<Mailbox> Address { get; } = new("address", "an address such as postmaster@example.org", TryAddress, []);

    /// <summary>A field that messages are given.</summary>
    public static Kind<string> HeaderField { get; } = new(
        "header field", "a header field such as X-Origin: scanner", TryHeaderField, []);

    /// <summary>The name of a field (RFC 5322 §2.2).</summary>
    public static Kind<string> FieldName { get; } = new("field name", "the name of a header field such as X-Tenant", TryFieldName, []);

    public static Kind<IPNetwork> Network { get; } = new("CIDR", "a network such as 192.0.2.0/24 or 2001:db8::/32", TryNetwork, [])
    {
        Why = static text => NetworkText.TryParse(text, out _, out var problem) ? null : problem,
    };

    public static Kind<IPAddress> IpAddress { get; } = new(
        "IP address", "an IP address such as 192.0.2.1 or 2001:db8::1", TryIpAddress, []);

    /// <summary>A resolver; port 53 where none is written.</summary>
    public static Kind<IPEndPoint> DnsServer { get; } = new(
        "address", "an IP address such as 192.0.2.53, or with a port 192.0.2.53:5353 or [2001:db8::53]:5353", TryDnsServer, []);

    public static Kind<IPEndPoint> Endpoint { get; } = new(
        "address:port", "an IP address and a port such as 0.0.0.0:587 or [::]:587", TryEndpoint, []);

    /// <summary>Permissions of a file, in octal digits.</summary>
    public static Kind<UnixFileMode> FileMode { get; } = new("mode", "permissions in octal digits such as 0660", TryFileMode, []);

    /// <summary>SHA-256 of a certificate, without its colons and in lower case.</summary>
    public static Kind<string> Fingerprint { get; } = new("SHA-256", "64 hexadecimal digits, with or without colons", TryFingerprint, []);

    public static Kind<string> Realm { get; } = new("realm", "a Kerberos realm such as EXAMPLE.ORG", TryRealm, []);

    /// <summary>One of a few words.</summary>
    public static Kind<T> Word<T>(params (string Word, T Value)[] choices)
    {
        ImmutableArray<string> words = [.. choices.Select(static c => c.Word)];
        return new("word", OneOf(words), TryWord, words);

        bool TryWord(string text, out T value)
        {
            foreach (var choice in choices)
            {
                if (!string.Equals(choice.Word, text, StringComparison.Ordinal))
                    continue;
                value = choice.Value;
                return true;
            }

            value = choices[0].Value;
            return false;
        }
    }

    /// <summary>
    /// One of a list of names that another part of the program keeps; case matters not, the list's spelling is what comes out.
    /// </summary>
    public static Kind<string> NameOf(string what, IEnumerable<string> names)
    {
        ImmutableArray<string> words = [.. names];
        return new(what, $"a {what} that exists here: {string.Join(", ", words)}", TryName, words);

        bool TryName(string text, out string name)
        {
            name = words.FirstOrDefault(w => string.Equals(w, text, StringComparison.OrdinalIgnoreCase)) ?? string.Empty;
            return name.Length > 0;
        }
    }

    private static string OneOf(ImmutableArray<string> words) =>
        words.Length == 1 ? $"'{words[0]}'" : $"{string.Join(", ", words[..^1].Select(static w => $"'{w}'"))} or '{words[^1]}'";

    private static bool TryHeaderField(string text, out string value)
    {
        value = text;
        return Smtp.Message.HeaderField.IsField(text);
    }

    private static bool TryFieldName(string text, out string value)
    {
        value = text;
        return Smtp.Message.HeaderField.IsField($"{text}: x");
    }

    private static bool TryText(string text, out string value)
    {
        value = text;
        return text.Length > 0 && !text.Any(char.IsControl);
    }

    private static bool TryCount(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0;

    private static bool TrySize(string text, out long value) => SizeText.TryParse(text, out value) && value > 0;

    private static bool TryDuration(string text, out TimeSpan value) => DurationText.TryParse(text, out value) && value > TimeSpan.Zero;

    private static bool TryFactor(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value is >= 1 and <= 100;

    private static bool TryDomain(string text, out Domain value)
    {
        value = null!;
        if (!Ascii.IsValid(text) || !Domain.TryParse(Encoding.ASCII.GetBytes(text), out var domain) || domain.Literal is not null)
            return false;
        value = domain;
        return true;
    }

    private static bool TryAddress(string text, out Mailbox value)
    {
        value = null!;
        if (!Mailbox.TryParse(text, out var mailbox))
            return false;
        value = mailbox;
        return true;
    }

    private static bool TryFingerprint(string text, out string value)
    {
        value = text.Replace(":", string.Empty, StringComparison.Ordinal).ToLowerInvariant();
        return value.Length == 64 && value.All(char.IsAsciiHexDigit);
    }

    private static bool TryRealm(string text, out string value)
    {
        value = text;
        return text.Length > 0 && !text.Any(static c => char.IsControl(c) || c is '@' or '/' or '\\' or ' ');
    }

    /// <summary>The runtime also reads 192.1 and 3221225985.</summary>
    private static bool TryIpAddress(string text, out IPAddress value)
    {
        value = null!;
        if (!IPAddress.TryParse(text, out var address) || (!text.Contains(':', StringComparison.Ordinal) && address.ToString() != text))
            return false;
        value = address;
        return true;
    }

    private static bool TryDnsServer(string text, out IPEndPoint value)
    {
        if (TryIpAddress(text, out var address))
        {
            value = new IPEndPoint(address, 53);
            return true;
        }

        return TryEndpoint(text, out value) && value.Port != 0;
    }

    private static bool TryFileMode(string text, out UnixFileMode value)
    {
        var digits = text.TrimStart('0');
        value = digits.Aggregate(UnixFileMode.None, static (mode, digit) => (UnixFileMode)(((int)mode * 8) + (digit - '0')));
        return digits.Length is > 0 and <= 3 && digits.All(static c => c is >= '0' and <= '7');
    }

    private static bool TryNetwork(string text, out IPNetwork value) => NetworkText.TryParse(text, out value, out _);

    private static bool TryEndpoint(string text, out IPEndPoint value)
    {
        value = null!;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || (text.IndexOf(':', StringComparison.Ordinal) != colon && text[0] != '['))
            return false;
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return false;
        if (!IPEndPoint.TryParse(text, out var endpoint) || (text[0] != '[' && text.AsSpan(0, colon).Count('.') != 3))
            return false;
        value = endpoint;
        return true;
    }
}
