using System.Text;
using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary>Writes <c>docs/configuration.md</c> from the same calls that read a configuration.</summary>
internal static class ConfigurationReference
{
    /// <summary>Between the words that a key takes.</summary>
    private const string Or = @" \| ";

    private const string Opening = """
        # Configuration

        One file, `postern.yaml`, in YAML or JSON: `--config FILE`, else `./postern.yaml`, else `/etc/postern/postern.yaml`, else the
        defaults below. `postern check` reports every error with its line and column; a key that is not listed here is an error. Relative
        paths are relative to the file's directory. This page is generated from the option records; a test holds it current.

        A running server takes a changed file on `postern reload` or SIGHUP, whole or not at all. "A change counts" says for whom: `live`
        for everything from then on, `new connections` for clients that connect from then on, while sessions that are open keep what they
        began with. Rights that are taken away count at once.


        """;

    public static string Write()
    {
        var text = new StringBuilder(Opening.ReplaceLineEndings("\n"));
        var keys = Keys();
        WriteTable(
            text, keys.Where(static k => k.Type is not null && !k.Path.Contains('.', StringComparison.Ordinal)), prefix: string.Empty);
        foreach (var section in keys.Where(static k => k.Type is null))
        {
            var prefix = keys.Any(k => k.Path.StartsWith($"{section.Path}[].", StringComparison.Ordinal))
                ? $"{section.Path}[]."
                : $"{section.Path}.";
            text.Append("\n## ").Append(prefix.TrimEnd('.')).Append("\n\n").Append(section.Doc).Append('\n');
            var own = keys.Where(
                k => k.Type is not null
                    && k.Path.StartsWith(prefix, StringComparison.Ordinal)
                    && !k.Path[prefix.Length..].Contains('.', StringComparison.Ordinal)).ToList();
            if (own.Count > 0)
                WriteTable(text.Append('\n'), own, prefix);
        }

        return text.ToString();
    }

    /// <summary>Every key there is, in the order of the records.</summary>
    public static IReadOnlyList<KeyReference> Keys()
    {
        var keys = new List<KeyReference>();
        Section.Read(
            new ReadContext(ConfigurationFile.Name, "/", [], keys),
            node: null,
            string.Empty,
            static section => PosternConfiguration.Read(file: null, section));
        return
        [
            .. keys.GroupBy(static key => key.Path, StringComparer.Ordinal).Select(static same => Together([.. same])),
        ];
    }

    /// <summary>
    /// A key of several kinds of store as one: with every word that one of them takes; where it is left out is told of each, unless that
    /// comes to the same.
    /// </summary>
    private static KeyReference Together(KeyReference[] same)
    {
        var isSame = same.DistinctBy(static key => key.Default, StringComparer.Ordinal).Count() == 1;
        return same[0] with
        {
            Type = same[0].Type is null
                ? null
                : string.Join(Or, same.SelectMany(static key => key.Type!.Split(Or)).Distinct(StringComparer.Ordinal)),
            Default = isSame ? same[0].Default : "see there",
            Doc = Join(same.Select(key => isSame ? key.Doc : $"{key.Doc} Left out: {key.Default ?? "never"}.")),
        };
    }

    /// <summary>
    /// What several kinds of store say of one key: <c>Of `a`: …</c>; the same words stand there once, for all who have them.
    /// </summary>
    private static string Join(IEnumerable<string> docs) => string.Join(' ', docs.Select(SplitKinds).GroupBy(
        static doc => doc.Text, StringComparer.Ordinal).Select(static same =>
        {
            var kinds = string.Join(", ", same.SelectMany(static doc => doc.Kinds).Distinct(StringComparer.Ordinal));
            return kinds.Length == 0 ? same.Key : $"Of {kinds}: {same.Key}";
        }));

    private static (string[] Kinds, string Text) SplitKinds(string doc) =>
        doc.StartsWith("Of `", StringComparison.Ordinal) && doc.IndexOf("`: ", StringComparison.Ordinal) is > 0 and var end
            ? (doc["Of ".Length..(end + 1)].Split(", "), doc[(end + 3)..])
            : ([], doc);

    private static void WriteTable(StringBuilder text, IEnumerable<KeyReference> keys, string prefix)
    {
        text.Append("| key | value | default | a change counts | meaning |\n|---|---|---|---|---|\n");
        foreach (var key in keys)
            text.Append("| `").Append(key.Path[prefix.Length..]).Append("` | ").Append(key.Type).Append(" | ")
                .Append(key.Default ?? "must be given").Append(" | ").Append(Effect.Of(key.Path)).Append(" | ").Append(key.Doc)
                .Append(" |\n");
    }
}
