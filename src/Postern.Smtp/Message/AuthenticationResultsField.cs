using System.Text;
using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>
/// What this server found out about the sender, for those who trust it (RFC 8601), and how to tell its own fields from forged ones.
/// </summary>
public static class AuthenticationResultsField
{
    /// <summary>The name of the field.</summary>
    public const string Name = "Authentication-Results";

    /// <summary>
    /// Appends <c>auth=pass smtp.auth=…</c> for a session that has logged in (RFC 8601 §2.7.4); nothing for any other, after ANONYMOUS too.
    /// </summary>
    public static void Append(StringBuilder text, SessionState session, Transaction transaction)
    {
        if (session.Login is not { } login)
            return;
        HeaderField.Append(
            text,
            Name,
            $"{session.Hostname};",
            "auth=pass",
            $"({session.Mechanism?.ToLowerInvariant()})",
            $"smtp.auth={Value(login)}",
            transaction.Sender.IsNull ? string.Empty : $"smtp.mailfrom={Value(transaction.Sender.Address)}");
    }

    /// <summary>
    /// True when a field body claims to come from <paramref name="authservId"/>: such a field is taken out of incoming mail before ours is
    /// added (RFC 8601 §5). Comments and folding before the id are looked through.
    /// </summary>
    public static bool Claims(ReadOnlySpan<byte> body, string authservId)
    {
        var rest = SkipComments(body);
        if (!rest.IsEmpty && rest[0] == '"')
            return IsQuoted(rest[1..], authservId);
        if (rest.Length < authservId.Length || !Ascii.EqualsIgnoreCase(rest[..authservId.Length], authservId))
            return false;
        rest = rest[authservId.Length..];
        return rest.IsEmpty || rest[0] is (byte)';' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)'(' or (byte)'/';
    }

    /// <summary>A quoted string means what is left when backslashes and folding are taken out (RFC 5322 §3.2.4).</summary>
    private static bool IsQuoted(ReadOnlySpan<byte> text, string authservId)
    {
        var matched = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is (byte)'\r' or (byte)'\n')
                continue;
            if (text[i] == '"')
                return matched == authservId.Length;
            if (text[i] == '\\' && ++i == text.Length)
                return false;
            if (matched == authservId.Length || char.ToLowerInvariant((char)text[i]) != char.ToLowerInvariant(authservId[matched++]))
                return false;
        }

        return false;
    }

    private static ReadOnlySpan<byte> SkipComments(ReadOnlySpan<byte> text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'(':
                    depth++;
                    break;
                case (byte)')' when depth > 0:
                    depth--;
                    break;
                case (byte)'\\' when depth > 0:
                    i++;
                    break;
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                    break;
                case var _ when depth == 0:
                    return text[i..];
            }
        }

        return default;
    }

    /// <summary>A token as it is, anything else as a quoted string (RFC 2045 §5.1).</summary>
    private static string Value(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`{|}~@".Contains(c, StringComparison.Ordinal))
                return $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        }

        return text.Length == 0 ? "\"\"" : text;
    }
}
