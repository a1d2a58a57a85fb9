using Postern.Sasl.Preparation;

namespace Postern.Sasl.Client;

/// <summary>
/// User name and authorization identity, SASLprepared as the mechanisms ask of clients, and the password as both halves take it.
/// </summary>
internal static class ClientText
{
    /// <summary>Null when there is no user or no password, or one of them cannot be sent.</summary>
    public static (string User, string Password, string ActAs)? Prepare(SaslClientCredentials credentials) =>
        credentials is { User.Length: > 0, Password: { } password }
        && SaslPrep.TryPrepareQuery(credentials.User, out var user) && user.Length > 0
        && PasswordText.TryPrepare(password.Reveal(), out var prepared)
        && SaslPrep.TryPrepareQuery(credentials.AuthorizationId, out var actAs)
            ? (user, prepared, actAs)
            : null;

    /// <summary>Printable US-ASCII without a space: what stands between separators must not bring its own.</summary>
    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    public static bool HoldsNul(params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
        {
            if (text.Contains('\0', StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}

/// <summary>What a server said, made fit for a log: printable US-ASCII, and not much of it.</summary>
internal static class ServerText
{
    private const int MaxLength = 200;

    public static string Printable(string text) =>
        string.Create(Math.Min(text.Length, MaxLength), text, static (chars, source) =>
        {
            for (var i = 0; i < chars.Length; i++)
                chars[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
        });
}
