namespace Postern.Relay.Admin.Import;

/// <summary>A file of Apache's htpasswd: <c>user:hash</c>.</summary>
internal static class HtpasswdFile
{
    public static readonly ImportFormat Format = new("htpasswd", Fits, Read);

    private static bool Fits(string line, bool isFirst) => line.Split(':') is [{ Length: > 0 } name, _] && !name.Any(char.IsWhiteSpace);

    private static IEnumerable<ImportEntry> Read(ImportSource source)
    {
        foreach (var (number, text) in source.Entries())
        {
            var entry = new ImportEntry(source.File, number);
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            yield return colon < 1
                ? entry with { Problem = "it is not 'user:hash'" }
                : source.WithPassword(entry, text[..colon], text[(colon + 1)..]);
        }
    }
}
