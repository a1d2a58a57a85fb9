using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Admin.Import;

/// <summary>A file that is read, and what an operator says about it.</summary>
/// <param name="Domain">Put behind names that have none; null for nothing.</param>
/// <param name="Scheme">Of passwords that name none, such as PLAIN-MD5; null for what they look like.</param>
public sealed record ImportSource(string File, ImmutableArray<string> Lines, string? Domain = null, string? Scheme = null)
{
    /// <summary>The lines that are neither empty nor comments, with their numbers.</summary>
    internal IEnumerable<(int Number, string Text)> Entries() =>
        Lines.Select(static (text, i) => (i + 1, text)).Where(static line => ImportFormat.IsEntry(line.text));

    internal string NameOf(string name) =>
        Domain is not null && name.Length > 0 && !name.Contains('@', StringComparison.Ordinal) ? $"{name}@{Domain}" : name;

    /// <summary>An entry with its password and whether it is locked; with a problem where the password cannot be verified here.</summary>
    /// <param name="name">As it stands there.</param>
    internal ImportEntry WithPassword(ImportEntry entry, string name, string stored)
    {
        entry = entry with { Name = NameOf(name) };
        var text = stored.Trim();
        if (text.Length == 0)
            return entry with { Disabled = "it has no password" };
        if (ForeignHash.IsLocked(text))
        {
            // What stands behind the sign is the password that it had: it counts again when the account is enabled.
            var had = text.TrimStart('!', '*');
            return entry with { Disabled = "its password is locked", Hash = TryParse(name, had) };
        }

        return TryParse(name, text) is { } hash
            ? entry with { Hash = hash }
            : entry with { Problem = PasswordHash.Parse(Named(text)) is UnknownHash unknown && ForeignHash.Look(Named(text)) is not null
                ? unknown.Problem
                : "its password is in no form that is known here; a readable one is written {PLAIN}password" };
    }

    private PasswordHash? TryParse(string name, string stored)
    {
        var text = Named(stored);
        // Dovecot hashes the two parts of an address as user and realm, and writes neither.
        if (SchemeWord.Of(text) is { Name: "DIGEST-MD5", Rest: { Length: 32 } digits } && NameOf(name).Split('@') is [var user, var realm])
            text = $"{DigestHash.Prefix}{user}:{realm}:{digits}";
        return PasswordHash.Parse(text) is var hash and not UnknownHash ? hash : null;
    }

    /// <summary>With the scheme that the operator names, or that of a traditional crypt hash, where it names none.</summary>
    private string Named(string text) => text switch
    {
        ['{' or '$', ..] => text,
        _ when Scheme is not null => $"{{{Scheme}}}{text}",
        _ when ForeignHash.Look(text) == ForeignHash.Des => $"{{CRYPT}}{text}",
        _ => text,
    };
}
