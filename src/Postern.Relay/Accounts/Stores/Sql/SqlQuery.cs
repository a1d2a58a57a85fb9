namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>
/// What the text of a query must be: one statement, with the user's name as the parameter <c>@user</c>. A name never becomes a part of the
/// text.
/// </summary>
internal static class SqlQuery
{
    public const string Parameter = "@user";

    /// <summary>What is wrong with it, as the end of a sentence; null for nothing that can be seen.</summary>
    public static string? WhyNot(string query, SqlDialect dialect)
    {
        var (hasUser, isQuoted) = (false, false);
        for (var at = 0; at < query.Length;)
        {
            var end = EndOf(query, at, dialect);
            if (end < 0)
                return "something is opened in it (a quotation mark, a comment) and never closed";
            var part = query.AsSpan(at, end - at);
            if (part[0] is '\'' or '"' or '`')
                isQuoted |= part.Contains(Parameter, StringComparison.Ordinal);
            else if (part[0] == '@' && part.Length > 1 && part[1] != '@' && !part.SequenceEqual(Parameter))
                return $"there is no parameter {part}; there is {Parameter}";
            else if (part[0] == ';' && query.AsSpan(end).ContainsAnyExcept(" \t\r\n;"))
                return "it is more than one statement";
            hasUser |= part.SequenceEqual(Parameter);
            at = end;
        }

        return hasUser ? null
            : isQuoted ? $"{Parameter} stands in quotation marks, where it is only text: write it without them"
            : $"it does not ask for the user: write the name as {Parameter}, such as: select password from users where email = {Parameter}";
    }

    /// <summary>False where no column of its answer can be called so: neither the word nor a <c>*</c> stands in it.</summary>
    public static bool MaySelect(string query, string column, SqlDialect dialect)
    {
        for (var at = 0; at < query.Length;)
        {
            var end = EndOf(query, at, dialect);
            if (end < 0)
                return false;
            var part = query.AsSpan(at, end - at);
            if (part is "*" || part.Trim("`\"'").Equals(column, StringComparison.OrdinalIgnoreCase))
                return true;
            at = end;
        }

        return false;
    }

    /// <summary>The end of the word, text, comment or sign that begins at <paramref name="at"/>; negative where it has none.</summary>
    private static int EndOf(string query, int at, SqlDialect dialect)
    {
        var rest = query.AsSpan(at);
        if (rest[0] is '\'' or '"' or '`')
            return EndOfText(query, at, hasEscapes: dialect == SqlDialect.MySql && rest[0] != '`');
        if (IsLineComment(rest, dialect))
            return rest.IndexOf('\n') is >= 0 and var line ? at + line + 1 : query.Length;
        if (rest.StartsWith("/*"))
            return query.IndexOf("*/", at + 2, StringComparison.Ordinal) is >= 0 and var close ? close + 2 : -1;
        var end = at + 1;
        if (rest.StartsWith("@@"))
            end++;
        if (rest[0] == '@' || IsOfWord(rest[0]))
        {
            while (end < query.Length && IsOfWord(query[end]))
                end++;
        }

        return end;
    }

    private static bool IsLineComment(ReadOnlySpan<char> rest, SqlDialect dialect) => dialect == SqlDialect.MySql
        ? rest[0] == '#' || (rest.StartsWith("--") && (rest.Length == 2 || rest[2] <= ' '))
        : rest.StartsWith("--");

    /// <summary>A mark that is doubled ends one text and begins another, which comes to the same.</summary>
    private static int EndOfText(string query, int at, bool hasEscapes)
    {
        for (var i = at + 1; i < query.Length; i++)
        {
            if (query[i] == query[at])
                return i + 1;
            if (hasEscapes && query[i] == '\\')
                i++;
        }

        return -1;
    }

    private static bool IsOfWord(char c) => char.IsLetterOrDigit(c) || c == '_';
}
