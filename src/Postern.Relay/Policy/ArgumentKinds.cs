using System.Globalization;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>The kinds of arguments that rules take.</summary>
internal static class ArgumentKinds
{
    /// <summary>With address and reference a reply stays within the 512 octets of RFC 5321 §4.5.3.1.5.</summary>
    public const int MostOfLine = 160;

    /// <summary>A line of a header section (RFC 5322 §2.1.1).</summary>
    public const int MostOfField = 998;

    public static ArgumentKind<RateLimit> Rate { get; } = new(
        "count/time", "a count and a time such as 500/1h, at most 31 days", RateLimit.TryParse);

    /// <summary>Several are written one after another, with spaces.</summary>
    public static ArgumentKind<IPNetwork[]> Networks { get; } = new(
        "networks", "networks such as 192.0.2.0/24 2001:db8::/32, with spaces between", TryNetworks);

    public static ArgumentKind<string> Line { get; } = new("text", "a line of at most 160 printable characters", TryLine);

    public static ArgumentKind<string> HeaderField { get; } = new("field", "a header field such as X-Origin: scanner", TryField);

    /// <summary>Of a file.</summary>
    public static ArgumentKind<string> Path { get; } = new("path", "an absolute path", static (string text, out string value) =>
    {
        value = text;
        return System.IO.Path.IsPathFullyQualified(text);
    });

    /// <summary>How long somebody is waited for.</summary>
    public static ArgumentKind<TimeSpan> Wait { get; } = new("duration", "a time from 10ms to 60s, such as 2s or 500ms", TryWait);

    /// <summary>How long something is remembered.</summary>
    public static ArgumentKind<TimeSpan> Age { get; } = new("duration", "a time from 1s to 31d, such as 10m, 3h or 1d", TryAge);

    /// <summary>Of a reply that refuses.</summary>
    public static ArgumentKind<int?> RefusalCode { get; } = new("code", "a reply code from 400 to 599", TryCode);

    public static ArgumentKind<Mailbox> Address { get; } = new("address", "an address such as archive@example.org", TryAddress);

    /// <summary>Addresses in canonical form, or <c>@</c> and a domain.</summary>
    public static ArgumentKind<string[]> Recipients { get; } = new(
        "recipients", "addresses, or @ and a domain, such as @example.org boss@example.net, with spaces between", TryRecipients);

    /// <summary>
    /// An address in US-ASCII, as any message may have it, also one that is not announced as SMTPUTF8 (RFC 6531 §3.5); there may be none.
    /// </summary>
    public static ArgumentKind<Mailbox?> AsciiAddressOrNone { get; } = new(
        Address.Name, $"{Address.Expected}, in US-ASCII", static (string text, out Mailbox? value) =>
            Mailbox.TryParse(text, out value) && value.IsAscii);

    /// <summary>One of a few words.</summary>
    public static ArgumentKind<T> Word<T>(params (string Word, T Value)[] choices)
    {
        return new(
            string.Join(" \\| ", choices.Select(static c => $"`{c.Word}`")),
            string.Join(" or ", choices.Select(static c => $"'{c.Word}'")),
            TryWord);

        bool TryWord(string text, out T value)
        {
            var found = Array.FindIndex(choices, c => string.Equals(c.Word, text, StringComparison.Ordinal));
            value = choices[Math.Max(found, 0)].Value;
            return found >= 0;
        }
    }

    private static bool TryLine(string text, out string value)
    {
        value = text;
        return text.Length is > 0 and <= MostOfLine && !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
    }

    private static bool TryField(string text, out string value)
    {
        value = text;
        return Smtp.Message.HeaderField.IsField(text);
    }

    private static bool TryCode(string text, out int? value)
    {
        value = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= 400 and <= 599 and not 421
            ? code
            : null;
        return value is not null;
    }

    private static bool TryWait(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (!text.EndsWith('s'))
            return false;
        var (digits, unit) = text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1) : (text[..^1], 1000);
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 60_000)
            return false;
        value = TimeSpan.FromMilliseconds((long)number * unit);
        return value >= TimeSpan.FromMilliseconds(10) && value <= TimeSpan.FromSeconds(60);
    }

    private static bool TryAge(string text, out TimeSpan value)
    {
        var unit = text is [.., var last] ? last switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 } : 0;
        value = TimeSpan.Zero;
        if (unit == 0 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        value = TimeSpan.FromSeconds((double)number * unit);
        return value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(31);
    }

    private static bool TryAddress(string text, out Mailbox value)
    {
        var isRead = Mailbox.TryParse(text, out var mailbox);
        value = mailbox!;
        return isRead;
    }

    private static bool TryRecipients(string text, out string[] recipients)
    {
        var read = new List<string>();
        recipients = [];
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (RecipientText.TryParse(word) is not { } one)
                return false;
            read.Add(one);
        }

        recipients = [.. read];
        return recipients.Length > 0;
    }

    private static bool TryNetworks(string text, out IPNetwork[] networks)
    {
        var read = new List<IPNetwork>();
        networks = [];
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!IPNetwork.TryParse(
                word.Contains('/', StringComparison.Ordinal) ? word
                    : word.Contains(':', StringComparison.Ordinal) ? $"{word}/128"
                    : $"{word}/32",
                out var network))
                return false;
            read.Add(network);
        }

        networks = [.. read];
        return networks.Length > 0;
    }
}

/// <summary>What an argument of a rule may be: how it is read, and how that is said to people.</summary>
/// <param name="Name">One or two words for the reference.</param>
/// <param name="Expected">The end of the sentence "expected ...".</param>
public sealed record ArgumentKind<T>(string Name, string Expected, ArgumentKind<T>.TryRead Read)
{
    public delegate bool TryRead(string text, out T value);
}
