using System.Diagnostics.CodeAnalysis;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Commands.Sendmail;

/// <summary>
/// The addresses of a field such as To (RFC 5322 §3.4), or of an argument, as people and programs write them: names, comments, groups and
/// source routes are passed over, and a name alone is one of this machine.
/// </summary>
internal static class AddressList
{
    /// <summary>Adds what <paramref name="text"/> holds; false with the part that is no address.</summary>
    public static bool TryRead(string text, Domain host, List<Mailbox> into, [NotNullWhen(false)] out string? wrong)
    {
        foreach (var address in Split(text))
        {
            if (!TryParse(address, host, out var mailbox))
            {
                wrong = address;
                return false;
            }

            into.Add(mailbox);
        }

        wrong = null;
        return true;
    }

    private static bool TryParse(string address, Domain host, [NotNullWhen(true)] out Mailbox? mailbox) =>
        Mailbox.TryParse(address, out mailbox)
        || (!address.Contains('@', StringComparison.Ordinal) && Mailbox.TryParse($"{address}@{host}", out mailbox));

    /// <summary>What stands between commas, reduced to the address.</summary>
    private static IEnumerable<string> Split(string text)
    {
        var (bare, inBrackets) = (new StringBuilder(), (StringBuilder?)null);
        var isInside = false;
        for (var at = 0; at < text.Length; at++)
        {
            var now = isInside ? inBrackets! : bare;
            switch (text[at])
            {
                case '(':
                    at = EndOfComment(text, at);
                    break;
                case '"':
                    var end = EndOfQuoted(text, at);
                    now.Append(text, at, end - at);
                    at = end - 1;
                    break;
                case '<' when !isInside:
                    (inBrackets, isInside) = (new StringBuilder(), true);
                    break;
                case '>' when isInside:
                    isInside = false;
                    break;
                case ':' when isInside ? now.Length > 0 && now[0] == '@' : !now.ToString().Contains('@', StringComparison.Ordinal):
                    now.Clear(); // a source route, or the name of a group
                    break;
                case ',' or ';' when !isInside:
                    if (Reduced() is { Length: > 0 } address)
                        yield return address;
                    bare.Clear();
                    inBrackets = null;
                    break;
                case var c:
                    now.Append(c);
                    break;
            }
        }

        if (Reduced() is { Length: > 0 } last)
            yield return last;

        string Reduced() => inBrackets is null ? WithoutGaps(bare) : WithoutGaps(inBrackets);
    }

    /// <summary>Spaces around dots and the sign say nothing; between words they make it no address.</summary>
    private static string WithoutGaps(StringBuilder text)
    {
        var words = text.ToString().Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var joined = new StringBuilder();
        foreach (var word in words)
        {
            if (joined.Length > 0 && joined[^1] is not ('.' or '@') && word[0] is not ('.' or '@'))
                joined.Append(' ');
            joined.Append(word);
        }

        return joined.ToString();
    }

    /// <summary>The index of the last character of a comment, which may hold others.</summary>
    private static int EndOfComment(string text, int start)
    {
        var depth = 0;
        for (var at = start; at < text.Length; at++)
        {
            if (text[at] == '\\')
                at++;
            else if (text[at] == '(')
                depth++;
            else if (text[at] == ')' && --depth == 0)
                return at;
        }

        return text.Length;
    }

    private static int EndOfQuoted(string text, int start)
    {
        for (var at = start + 1; at < text.Length; at++)
        {
            if (text[at] == '\\')
                at++;
            else if (text[at] == '"')
                return at + 1;
        }

        return text.Length;
    }
}
