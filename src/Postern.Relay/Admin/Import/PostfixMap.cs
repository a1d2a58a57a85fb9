using System.Collections.Immutable;

namespace Postern.Relay.Admin.Import;

/// <summary>
/// The text of a map of Postfix for <c>smtpd_sender_login_maps</c>: <c>address login, login</c> or <c>@domain login</c>. A line that begins
/// with white space goes on with the one before. It gives rights to accounts, and makes none.
/// </summary>
internal static class PostfixMap
{
    public static readonly ImportFormat Format = new("postfix", Fits, Read);

    private static readonly char[] Between = [',', ' ', '\t'];

    private static bool Fits(string line, bool isFirst)
    {
        if (char.IsWhiteSpace(line[0]))
            return !isFirst;
        var (key, logins) = Split(line);
        return key.Contains('@', StringComparison.Ordinal) && !key.Contains(':', StringComparison.Ordinal) && logins.Length > 0;
    }

    private static IEnumerable<ImportEntry> Read(ImportSource source)
    {
        foreach (var (number, text) in Joined(source))
        {
            var entry = new ImportEntry(source.File, number) { IsRight = true };
            var (key, logins) = Split(text);
            if (Problem(key, logins) is { } problem)
            {
                yield return entry with { Problem = problem };
                continue;
            }

            foreach (var login in logins)
            {
                yield return key[0] == '@'
                    ? entry with { Name = source.NameOf(login), Domains = [key[1..]] }
                    : entry with { Name = source.NameOf(login), Addresses = [key] };
            }
        }
    }

    private static string? Problem(string key, ImmutableArray<string> logins) => key switch
    {
        ['/', ..] => "it is a regular expression; a right here is an address or a whole domain",
        _ when logins.IsEmpty => "it names no login behind the address",
        ['@', ..] => MailNames.TryDomain(key[1..], out _) ? null : "what stands behind the @ is not a mail domain",
        _ => MailNames.TryAddress(key, out _) ? null : "it begins with neither an address nor @domain",
    };

    private static (string Key, ImmutableArray<string> Logins) Split(string line)
    {
        var words = line.Split(Between, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words.Length == 0 ? (string.Empty, []) : (words[0], [.. words[1..]]);
    }

    private static IEnumerable<(int Number, string Text)> Joined(ImportSource source)
    {
        (int Number, string Text)? open = null;
        foreach (var (number, text) in source.Entries())
        {
            if (char.IsWhiteSpace(text[0]) && open is var (first, before))
            {
                open = (first, before + ' ' + text.Trim());
                continue;
            }

            if (open is { } whole)
                yield return whole;
            open = (number, text);
        }

        if (open is { } last)
            yield return last;
    }
}
