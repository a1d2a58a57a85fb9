using System.Text;
using Postern.Relay.Delivery.Places;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>
/// Reads the words of a line: names, addresses and what else may stand to the right. What is wrong is said in words for the operator.
/// </summary>
internal static class AliasWords
{
    /// <summary>A domain that is nobody's, to read a name by the rules of addresses.</summary>
    private const string Nobody = "@a.invalid";

    private const string Include = ":include:";

    /// <summary>
    /// Splits what stands to the right at its commas, but not in quotes or angle brackets. Null where a quote does not end.
    /// </summary>
    public static List<string>? Split(string text)
    {
        var found = new List<string>(1);
        var (from, isQuoted, isInside) = (0, false, false);
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\':
                    i++;
                    break;
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case '<' or '>' when !isQuoted:
                    isInside = text[i] == '<';
                    break;
                case ',' when !isQuoted && !isInside:
                    Take(text.AsSpan(from, i - from));
                    from = i + 1;
                    break;
            }
        }

        Take(text.AsSpan(from));
        return isQuoted ? null : found;

        void Take(ReadOnlySpan<char> word)
        {
            if (word.Trim() is { IsEmpty: false } trimmed)
                found.Add(trimmed.ToString());
        }
    }

    /// <summary>Where the name at the beginning of a line ends: at its colon, or at the first space; -1 where neither comes.</summary>
    public static int EndOfName(string line, bool atColon)
    {
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\' && isQuoted)
                i++;
            else if (line[i] == '"')
                isQuoted = !isQuoted;
            else if (!isQuoted && (atColon ? line[i] == ':' : line[i] is ' ' or '\t'))
                return i;
        }

        return -1;
    }

    /// <summary>A name without a domain, quoted or not; null where it is none.</summary>
    /// <returns>As it is written in an address, and as names are compared.</returns>
    public static (string LocalPart, string Canonical)? NameOf(string text) =>
        !text.Contains('@', StringComparison.Ordinal) || text.StartsWith('"')
            ? Mailbox.TryParse(text + Nobody, out var mailbox) && mailbox.Domain.Text == Nobody[1..]
                ? (mailbox.LocalPart, mailbox.Canonical[..^Nobody.Length])
                : null
            : null;

    /// <summary>What is wrong with a word to the right; null where it was read, as a target or as a file to include.</summary>
    /// <param name="isIncluded">It stands in an included file, which may name addresses only.</param>
    public static string? Read(string word, AliasSource source, bool isIncluded, out AliasTarget? target, out string? include)
    {
        (target, include) = (null, null);
        var plain = Unquoted(word) ?? word;
        if (plain.StartsWith(Include, StringComparison.OrdinalIgnoreCase))
        {
            var file = plain[Include.Length..].Trim();
            file = Unquoted(file) ?? file;
            if (source.Form == AliasForm.Forwards)
                return "a file of forwards includes no other: write the addresses here, or a name that a file of aliases knows";
            if (!file.StartsWith('/'))
                return $"'{file}' is not an absolute path";
            include = file;
            return null;
        }

        if (plain.StartsWith('|'))
            return ReadCommand(plain[1..].Trim(), source, isIncluded, out target);
        if (plain.StartsWith('/'))
            return ReadPath(plain, source, isIncluded, out target);
        return ReadAddress(word, source, out target);
    }

    private static string? ReadCommand(string text, AliasSource source, bool isIncluded, out AliasTarget? target)
    {
        target = null;
        if (source.Form == AliasForm.Forwards || isIncluded)
            return "a command stands in a file of aliases itself, and nowhere else";
        if (!source.AllowsCommands)
            return "commands are not allowed in this file: 'allow: commands' beside it, if nobody else can write to it";
        text = Unquoted(text) ?? text;
        if (PipePlace.Read(text, out var place) is { } why)
            return $"{why}; no shell sees the command, so write a script where it needs one";
        target = new AliasTarget.Local(place!);
        return null;
    }

    private static string? ReadPath(string text, AliasSource source, bool isIncluded, out AliasTarget? target)
    {
        target = text == "/dev/null" ? AliasTarget.Nowhere.Instance : null;
        if (target is not null)
            return null;
        if (source.Form == AliasForm.Forwards || isIncluded)
            return "a file stands in a file of aliases itself, and nowhere else";
        if (!text.EndsWith('/'))
            return $"{text} would be a file of many messages, which is not written here: name a Maildir, with a / at its end";
        if (!source.AllowsMailboxes)
            return "mailboxes are not allowed in this file: 'allow: mailboxes' beside it";
        if (!PlaceText.IsPlain(text))
            return $"{text}: braces mean nothing here";
        if (MaildirPlace.Read(text, out var place) is { } why)
            return why;
        target = new AliasTarget.Local(place!);
        return null;
    }

    private static string? ReadAddress(string word, AliasSource source, out AliasTarget? target)
    {
        target = null;
        var isFinal = word.StartsWith('\\');
        var text = isFinal ? word[1..] : word;
        if (text.EndsWith('>') && text.LastIndexOf('<') is >= 0 and var open)
            text = text[(open + 1)..^1].Trim();
        if (text.StartsWith('@'))
        {
            if (source.Form == AliasForm.Aliases)
                return $"'{text}' names nobody: @domain stands in a file of forwards";
            if (!Domain.TryParse(text[1..], out var domain))
                return $"'{text[1..]}' is not a domain";
            target = new AliasTarget.SameNameAt(domain);
            return null;
        }

        if (NameOf(text) is { } name)
        {
            target = new AliasTarget.Name(name.LocalPart, isFinal);
            return null;
        }

        if (!Mailbox.TryParse(text, out var mailbox))
            return text.Contains(' ', StringComparison.Ordinal)
                ? $"'{text}' is not an address: commas separate addresses"
                : $"'{text}' is not an address";
        target = new AliasTarget.Address(mailbox, isFinal);
        return null;
    }

    /// <summary>The text in quotes that are all around it; null where it has no such quotes.</summary>
    private static string? Unquoted(string text)
    {
        if (text is not ['"', .., '"'])
            return null;
        var plain = new StringBuilder(text.Length);
        for (var i = 1; i < text.Length - 1; i++)
        {
            if (text[i] == '"')
                return null;
            if (text[i] == '\\' && i + 1 < text.Length - 1)
                i++;
            plain.Append(text[i]);
        }

        return plain.ToString();
    }
}
