namespace Postern.Relay.Admin.Import;

/// <summary>
/// A passwd-file of Dovecot: <c>user:password:uid:gid:gecos:home:shell:extra fields</c>, the fields behind the password optional. Of the
/// extra fields those count that say who may log in.
/// </summary>
internal static class DovecotPasswd
{
    public static readonly ImportFormat Format = new("dovecot", Fits, Read);

    private const int ExtraField = 7;

    /// <summary>A name of a scheme, or the fields of a passwd file.</summary>
    private static bool Fits(string line, bool isFirst)
    {
        var fields = line.Split(':', 3);
        return fields.Length >= 2
            && fields[0].Length > 0
            && !fields[0].Any(char.IsWhiteSpace)
            && (fields.Length > 2 || fields[1].StartsWith('{'));
    }

    private static IEnumerable<ImportEntry> Read(ImportSource source)
    {
        foreach (var (number, text) in source.Entries())
        {
            var entry = new ImportEntry(source.File, number);
            var (name, stored, rest) = Split(text);
            if (stored is null)
            {
                yield return entry with { Problem = "it is not 'user:password'" };
                continue;
            }

            var fields = rest.Split(':', ExtraField - 1);
            var extra = fields.Length == ExtraField - 1 ? fields[^1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [];
            var read = source.WithPassword(entry, name, stored);
            yield return read switch
            {
                { Problem: not null } => read,
                _ when Has(extra, "nopassword") =>
                    entry with { Name = read.Name, Problem = "Dovecot lets it in with any password (nopassword)" },
                _ when Has(extra, "nologin") => read with { Disabled = "nologin" },
                _ when Has(extra, "allow_nets") =>
                    read with { Disabled = "it may log in from some networks only (allow_nets), and accounts here are not limited so" },
                _ => read,
            };
        }
    }

    /// <summary>
    /// A password ends at the next colon, as Dovecot reads it: one that holds a colon is written <c>{PLAIN.B64}</c> there.
    /// </summary>
    private static (string Name, string? Stored, string More) Split(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1)
            return (line, null, string.Empty);
        var behind = line[(colon + 1)..];
        var end = behind.IndexOf(':', StringComparison.Ordinal);
        return end < 0 ? (line[..colon], behind, string.Empty) : (line[..colon], behind[..end], behind[(end + 1)..]);
    }

    private static bool Has(string[] extra, string field) =>
        extra.Any(
            e => (e.Equals(field, StringComparison.Ordinal) || e.StartsWith(field + '=', StringComparison.Ordinal))
                && e[field.Length..] is not ("=no" or "=n" or "=0"));
}
