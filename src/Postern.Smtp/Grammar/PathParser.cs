namespace Postern.Smtp.Grammar;

/// <summary>
/// Reads the path of MAIL and RCPT, <c>&lt;mailbox&gt;</c>, and splits the parameters off it (RFC 5321 §4.1.2). What old clients get wrong
/// in ways that can mean only one thing is taken: white space after the colon, missing angle brackets. Inside the brackets white space is a
/// part of the address, and stands in quotes or nowhere.
/// </summary>
internal static class PathParser
{
    /// <summary>
    /// Takes <paramref name="keyword"/> (<c>FROM:</c> or <c>TO:</c>) and the path. <paramref name="path"/> is what stood between the
    /// brackets, not yet parsed; <paramref name="parameters"/> the rest without white space around it.
    /// </summary>
    public static bool TrySplit(
        ReadOnlySpan<byte> argument, ReadOnlySpan<byte> keyword, out ReadOnlySpan<byte> path, out ReadOnlySpan<byte> parameters)
    {
        path = parameters = default;
        if (argument.Length < keyword.Length || !System.Text.Ascii.EqualsIgnoreCase(argument[..keyword.Length], keyword))
            return false;
        var rest = argument[keyword.Length..].TrimStart(CommandLine.WhiteSpace);
        if (rest.IsEmpty)
            return false;

        if (rest[0] != '<')
        {
            path = CommandLine.FirstWord(rest, out parameters);
            return true;
        }

        var end = ClosingBracket(rest);
        if (end < 0 || (end + 1 < rest.Length && !CommandLine.WhiteSpace.Contains(rest[end + 1])))
            return false;
        path = rest[1..end];
        parameters = rest[(end + 1)..].Trim(CommandLine.WhiteSpace);
        return true;
    }

    /// <summary>A source route, <c>@relay,@relay:user@host</c> (RFC 5321 appendix C).</summary>
    public static bool IsSourceRoute(ReadOnlySpan<byte> path) => !path.IsEmpty && path[0] == '@';

    private static int ClosingBracket(ReadOnlySpan<byte> text)
    {
        var quoted = false;
        for (var i = 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'"':
                    quoted = !quoted;
                    break;
                case (byte)'\\' when quoted:
                    i++;
                    break;
                case (byte)'>' when !quoted:
                    return i;
            }
        }

        return -1;
    }
}
