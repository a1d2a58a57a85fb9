using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Sasl;

namespace Postern.Configuration.Reading;

/// <summary>
/// One mapping being read. A key is known by being asked for, so a record's <c>Read</c> is the one list of its keys: the same calls
/// fill the record, find unknown keys, and write the reference (<see cref="ConfigurationReference"/>).
/// </summary>
internal sealed class Section
{
    private readonly ReadContext context;
    private readonly ConfigNode? node;
    private readonly List<string> asked = [];

    /// <param name="context">Where errors go.</param>
    /// <param name="node">Null where the section was left out: every key has its default.</param>
    /// <param name="path">Of this section; empty for the root.</param>
    public Section(ReadContext context, ConfigNode? node, string path)
    {
        this.context = context;
        Path = path;
        if (node is { IsEmpty: false } and not ConfigNode.Mapping)
            context.Report(
                node,
                path,
                // A file that is one text is none of these, and may be anything.
                $"{(node is ConfigNode.Scalar && path.Length == 0 ? "text" : node.Description)} where a section belongs",
                "keys with values");
        this.node = node;
    }

    public string Path { get; }

    /// <summary>Where every key of the file stands that somebody asked for; complete when the root was read.</summary>
    public IReadOnlyDictionary<string, ConfigNode> Places => context.Places;

    /// <summary>The files that secrets stand in, by key path; complete when the root was read.</summary>
    public IReadOnlyDictionary<string, string> SecretFiles => context.SecretFiles;

    /// <summary>The secrets that are in Vault, by key path; complete when the root was read.</summary>
    public IReadOnlyDictionary<string, VaultReference> InVault => context.InVault;

    /// <summary>What every key came to; complete when the root was read.</summary>
    public IReadOnlyList<Setting> Settings => context.Settings;

    /// <summary>The files whose content counts, by key path; complete when the root was read.</summary>
    public IReadOnlyDictionary<string, string> Files => context.Files;

    private ImmutableArray<ConfigNode.Entry> Entries => node is ConfigNode.Mapping mapping ? mapping.Entries : [];

    /// <summary>No file is read: the calls are made to learn which keys there are.</summary>
    public bool IsDescribing => context.IsDescribing;

    /// <summary>What is written here beyond the keys that were asked for is no mistake: it is not known what could stand here.</summary>
    public void PassOverTheRest() => asked.AddRange(Entries.Select(static entry => entry.Key));

    /// <summary>The key was written, with or without a value.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>The key was written, as a list without anything in it.</summary>
    public bool HasEmptyList(string key) => Find(key)?.Value is { IsEmpty: true } or ConfigNode.Sequence { Items.IsEmpty: true };

    /// <summary>A value that may be left out.</summary>
    /// <param name="fallbackText">The default as the reference prints it.</param>
    public T Value<T>(string key, Kind<T> kind, T fallback, string fallbackText, string doc)
    {
        Know(key, TypeText(kind), fallbackText, doc);
        return Keep(
            key, Find(key) is { } entry && TryScalar(entry.Value, PathOf(key), kind, out var value) ? value : fallback, fallbackText);
    }

    /// <summary>A value that must be there; the default value of the type after an error.</summary>
    public T Required<T>(string key, Kind<T> kind, string doc)
    {
        Know(key, TypeText(kind), fallbackText: null, doc);
        if (Find(key) is not { } entry)
            return Missing<T>(key, kind.Expected);
        return Keep(key, TryScalar(entry.Value, PathOf(key), kind, out var value) ? value : default!, string.Empty);
    }

    /// <summary>Paths, each as one that <see cref="FilePath"/> reads.</summary>
    public ImmutableArray<string> FilePaths(string key, string doc) =>
        [.. List(key, Kinds.FilePath, [], "none", doc).Select(path => System.IO.Path.GetFullPath(path, context.Directory))];

    /// <summary>A path, made absolute against the file's directory; null when it was left out.</summary>
    public string? FilePath(string key, string? fallback, string fallbackText, string doc)
    {
        var path = Value(key, Kinds.FilePath, fallback!, fallbackText, doc);
        return path is null ? null : System.IO.Path.GetFullPath(path, context.Directory);
    }

    /// <summary>The same for a file that is read with the configuration, and with it again when it changes.</summary>
    public string? ReadFile(string key, string fallbackText, string doc) => Reads(key, FilePath(key, fallback: null, fallbackText, doc));

    /// <summary>The same for one that must be named.</summary>
    public string RequiredReadFile(string key, string doc) => Reads(key, RequiredFilePath(key, doc))!;

    /// <summary>A path that must be there, made absolute against the file's directory.</summary>
    public string RequiredFilePath(string key, string doc) =>
        Required(key, Kinds.FilePath, doc) is { } path ? System.IO.Path.GetFullPath(path, context.Directory) : null!;

    /// <summary>A secret, taken from where it is kept (<see cref="SecretText"/>); null when it was left out or cannot be had.</summary>
    public Secret? Secret(string key, string doc)
    {
        Know(key, TypeText(Kinds.Secret), "none", doc);
        if (Find(key) is not { } entry || !TryScalar(entry.Value, PathOf(key), Kinds.Secret, out var text))
            return null;
        return ReadSecret(text, Find(key)?.Value, PathOf(key));
    }

    /// <summary>A list of secrets (<see cref="SecretText"/>); a single one counts as a list of one.</summary>
    public ImmutableArray<Secret> SecretList(string key, string doc)
    {
        Know(key, $"list of {TypeText(Kinds.Secret)}", "none", doc);
        ImmutableArray<ConfigNode> items = Find(key)?.Value switch
        {
            null or { IsEmpty: true } => [],
            ConfigNode.Sequence sequence => sequence.Items,
            var one => [one],
        };
        var secrets = ImmutableArray.CreateBuilder<Secret>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            var path = $"{PathOf(key)}[{i}]";
            if (TryScalar(items[i], path, Kinds.Secret, out var text) && ReadSecret(text, items[i], path) is { } secret)
                secrets.Add(secret);
        }

        return secrets.ToImmutable();
    }

    /// <summary>A section whose keys are names, with a secret each (<see cref="SecretText"/>).</summary>
    public ImmutableArray<(string Name, Secret Secret)> Secrets(string key, string doc)
    {
        Know(key, "names and secrets", "none", doc);
        if (Find(key) is not { } entry)
            return [];
        if (entry.Value is not ConfigNode.Mapping mapping)
        {
            context.Report(entry.Value, PathOf(key), $"{entry.Value.Description} where names belong", "a line 'name: secret' for each");
            return [];
        }

        var secrets = ImmutableArray.CreateBuilder<(string, Secret)>(mapping.Entries.Length);
        foreach (var one in mapping.Entries)
        {
            var path = $"{PathOf(key)}.{one.Key}";
            if (TryScalar(one.Value, path, Kinds.Secret, out var text) && ReadSecret(text, one.Value, path) is { } secret)
                secrets.Add((one.Key, secret));
        }

        return secrets.ToImmutable();
    }

    /// <summary>A section whose keys are names, with a section each.</summary>
    public ImmutableArray<(string Name, T Value)> Named<T>(string key, Func<Section, T> read, string doc)
    {
        Know(key, type: null, fallbackText: null, doc);
        if (context.IsDescribing)
            ReadSection(child: null, $"{PathOf(key)}.NAME", read);
        if (Find(key) is not { Value.IsEmpty: false } entry)
            return [];
        if (entry.Value is not ConfigNode.Mapping mapping)
        {
            context.Report(entry.Value, PathOf(key), $"{entry.Value.Description} where names belong", "a line 'name:' for each");
            return [];
        }

        foreach (var one in mapping.Entries)
            context.Place($"{PathOf(key)}.{one.Key}", one.Value);
        return [.. mapping.Entries.Select(one => (one.Key, ReadSection(one.Value, $"{PathOf(key)}.{one.Key}", read)))];
    }

    /// <summary>The names that stand in a section whose keys are names; none where it is none.</summary>
    public ImmutableArray<string> NamesIn(string key) =>
        Find(key)?.Value is ConfigNode.Mapping { Entries: var entries } ? [.. entries.Select(static entry => entry.Key)] : [];

    /// <summary>A list of values; a single value counts as a list of one.</summary>
    public ImmutableArray<T> List<T>(string key, Kind<T> kind, ImmutableArray<T> fallback, string fallbackText, string doc)
    {
        Know(key, $"list of {TypeText(kind)}", fallbackText, doc);
        return Keep(key, Find(key) is { } entry ? ReadList(entry, key, kind) : fallback, fallbackText);
    }

    /// <summary>A list with at least one value.</summary>
    public ImmutableArray<T> RequiredList<T>(string key, Kind<T> kind, string doc)
    {
        Know(key, $"list of {TypeText(kind)}", fallbackText: null, doc);
        if (Find(key) is not { } entry)
            return Missing<ImmutableArray<T>>(key, $"at least one: {kind.Expected}") is { IsDefault: false } list ? list : [];
        var before = context.Errors.Count;
        var values = ReadList(entry, key, kind);
        if (values.IsEmpty && context.Errors.Count == before)
            context.Report(entry.Value, PathOf(key), "the list is empty", $"at least one: {kind.Expected}");
        return Keep(key, values, string.Empty);
    }

    /// <summary>A section below this one.</summary>
    public T Child<T>(string key, Func<Section, T> read, string doc)
    {
        Know(key, type: null, fallbackText: null, doc);
        return ReadSection(Find(key)?.Value, PathOf(key), read);
    }

    /// <summary>A section below this one that says something by being there; null where it was left out.</summary>
    public T? OptionalChild<T>(string key, Func<Section, T> read, string doc)
        where T : class
    {
        Know(key, type: null, fallbackText: null, doc);
        return context.IsDescribing || Has(key) ? ReadSection(Find(key)?.Value, PathOf(key), read) : null;
    }

    /// <summary>A list of sections.</summary>
    /// <param name="shorthand">The key that an entry stands for which is a single value; null where an entry must be a section.</param>
    public ImmutableArray<T> Children<T>(
        string key, Func<Section, T> read, ImmutableArray<T> fallback, string doc, string? shorthand = null)
    {
        Know(key, type: null, fallbackText: null, doc);
        if (context.IsDescribing)
            ReadSection(child: null, $"{PathOf(key)}[]", read);
        if (Find(key) is not { } entry)
            return fallback;
        if (entry.Value.IsEmpty)
            return [];
        if (entry.Value is not ConfigNode.Sequence sequence)
        {
            if (shorthand is not null && entry.Value is ConfigNode.Scalar)
                return [ReadSection(Expand(entry.Value, shorthand), $"{PathOf(key)}[0]", read)];
            context.Report(entry.Value, PathOf(key), $"{entry.Value.Description} where a list belongs", "one '- ' for each entry");
            return fallback;
        }

        return [.. sequence.Items.Select((item, i) => ReadSection(Expand(item, shorthand), $"{PathOf(key)}[{i}]", read))];
    }

    /// <summary>
    /// A list of words, each with arguments of its own: <c>word</c>, <c>word value</c>, <c>{ word: value }</c> or <c>{ word: { key: value }
    /// }</c>.
    /// </summary>
    /// <param name="shorthandOf">The key that a single value behind a word is for; null where there is none.</param>
    /// <param name="read">Reads one entry: its word, and the section of its arguments.</param>
    public ImmutableArray<T> Words<T>(
        string key,
        Kind<string> words,
        Func<string, string?> shorthandOf,
        Func<string, Section, T> read,
        ImmutableArray<T> fallback,
        string fallbackText,
        string doc)
    {
        Know(key, $"list of {TypeText(words)}", fallbackText, doc);
        if (Find(key) is not { } entry)
            return Keep(key, fallback, fallbackText);
        var kept = context.Settings.Count;
        ImmutableArray<ConfigNode> items = entry.Value switch { { IsEmpty: true } =>
            [], ConfigNode.Sequence sequence => sequence.Items, var one => [one] };
        var values = ImmutableArray.CreateBuilder<T>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            var path = $"{PathOf(key)}[{i}]";
            var (word, argument) = WordOf(items[i]);
            if (!TryScalar(word, path, words, out var name))
                continue;
            if (argument is ConfigNode.Scalar { IsEmpty: false } && shorthandOf(name) is null)
                context.Report(argument, path, $"the rule {name} takes no single argument");
            else
                values.Add(
                    ReadSection(
                        argument is null or { IsEmpty: true }
                            ? new ConfigNode.Mapping(word.Line, word.Column, [])
                            : Expand(argument, shorthandOf(name)),
                        path,
                        s => read(name, s)));
        }

        // The list is one value: what stands in its entries is part of it.
        context.Settings.RemoveRange(kept, context.Settings.Count - kept);
        return Keep(key, values.DrainToImmutable(), fallbackText);
    }

    /// <summary>Writes the arguments of a word into the reference, under a heading of their own. Nothing while a file is read.</summary>
    public void DescribeWord(string word, string doc, Action<Section> describe)
    {
        if (!context.IsDescribing)
            return;
        context.Describe(new KeyReference(PathOf(word), Type: null, Default: null, doc));
        describe(new Section(context, node: null, PathOf(word)));
    }

    /// <summary>Where a key stands, as file and line, for what is told later.</summary>
    public string PlaceOf(string key) => string.Create(
        CultureInfo.InvariantCulture, $"{context.File}:{Find(key)?.Line ?? node?.Line ?? 0}");

    /// <summary>Reads another file by the same rules; null where it is none. What is wrong with it is reported at its own places.</summary>
    /// <param name="key">That names it.</param>
    public T? ReadOther<T>(string key, string file, Func<Section, T> read)
        where T : class
    {
        if (ConfigurationFile.ReadText(file, out var text) is { } unreadable)
        {
            Report(key, $"{file}: {unreadable.Errors[0].Message}");
            return null;
        }

        return ConfigDocument.Read(file, text, context.Errors) is { } root
            ? Read(new ReadContext(file, ConfigurationFile.DirectoryOf(file), context.Errors), root, string.Empty, read)
            : null;
    }

    /// <summary>The text of a single value; null where there is none.</summary>
    public string? ScalarOf(string key) => Find(key)?.Value is ConfigNode.Scalar { IsEmpty: false, Text: var text } ? text : null;

    /// <summary>Reports what is wrong with the value of <paramref name="key"/>, or with the section where the key was left out.</summary>
    public void Report(string key, string message, string? expected = null) =>
        context.Report(Find(key)?.Value ?? node, PathOf(key), message, expected);

    /// <summary>Reports a key that the others make necessary.</summary>
    public void ReportMissing(string key, string expected)
    {
        if (!context.IsDescribing)
            context.Report(node, PathOf(key), "missing key", expected);
    }

    /// <summary>Reports what is wrong with a value that was read below this section.</summary>
    /// <param name="path">From the root.</param>
    public void ReportAt(string path, string message, string? expected = null, string? nearest = null) =>
        context.Report(context.Places.GetValueOrDefault(path) ?? node, path, message, expected, nearest);

    /// <summary>The same of one value of a list.</summary>
    public void ReportAt(string path, int index, string message, string? expected = null, string? nearest = null)
    {
        var list = context.Places.GetValueOrDefault(path);
        var item = list is ConfigNode.Sequence { Items: var items } && index < items.Length ? items[index] : list;
        context.Report(item ?? node, $"{path}[{index}]", message, expected, nearest);
    }

    /// <summary>Reports what is wrong with one value of a list.</summary>
    public void Report(string key, int index, string message)
    {
        var item = Find(key)?.Value is ConfigNode.Sequence { Items: var items } && index < items.Length ? items[index] : Find(key)?.Value;
        context.Report(item ?? node, $"{PathOf(key)}[{index}]", message);
    }

    /// <summary>Reads <paramref name="node"/> as a section and then reports every key that nobody asked for.</summary>
    public static T Read<T>(ReadContext context, ConfigNode? node, string path, Func<Section, T> read)
    {
        var section = new Section(context, node, path);
        var result = read(section);
        foreach (var entry in section.Entries)
        {
            if (section.asked.Contains(entry.Key))
                context.Place(section.PathOf(entry.Key), entry.Value);
            else
                context.Report(
                    entry,
                    section.PathOf(entry.Key),
                    "unknown key",
                    section.asked.Count == 0 ? "none" : $"one of {string.Join(", ", section.asked)}",
                    NearestName.Of(entry.Key, section.asked));
        }

        return result;
    }

    /// <summary>A single value as the section that it is short for.</summary>
    private static ConfigNode Expand(ConfigNode item, string? shorthand) =>
        shorthand is not null && item is ConfigNode.Scalar { IsEmpty: false }
            ? new ConfigNode.Mapping(item.Line, item.Column, [new ConfigNode.Entry(item.Line, item.Column, shorthand, item)])
            : item;

    private static (ConfigNode Word, ConfigNode? Argument) WordOf(ConfigNode item) => item switch
    {
        ConfigNode.Mapping { Entries: [var only] } => (new ConfigNode.Scalar(only.Line, only.Column, only.Key, IsPlain: true), only.Value),
        ConfigNode.Scalar { Text: var text } when text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space =>
            (new ConfigNode.Scalar(item.Line, item.Column, text[..space], IsPlain: true), new ConfigNode.Scalar(
                item.Line, item.Column + space + 1, text[(space + 1)..].Trim(), IsPlain: false)),
        _ => (item, null),
    };

    private Secret? ReadSecret(string text, ConfigNode? value, string path)
    {
        switch (SecretText.Read(text, context.File, context.Directory))
        {
            case SecretOutcome.Found(var secret, var file) found:
                if (file is not null)
                    context.SecretFiles[path] = file;
                if (found.HasOwnFile)
                    context.Files[path] = file!;
                context.Settings.Add(Setting.OfSecret(path, secret));
                return secret;
            case SecretOutcome.InVault when path.StartsWith($"{VaultSection.Key}.", StringComparison.Ordinal):
                context.Report(value ?? node, path, "what opens Vault cannot be in it: file:PATH, credential:NAME or ${VARIABLE}");
                return null;
            case SecretOutcome.InVault(var reference):
                context.InVault[path] = reference;
                // Something stands in for it until somebody has asked: long enough for a secret, and nobody's.
                var kept = context.FromVault.GetValueOrDefault(reference) ?? Sasl.Secret.Generate();
                context.Settings.Add(Setting.OfSecret(path, kept));
                return kept;
            case SecretOutcome.Missing(var message):
                context.Report(value ?? node, path, message);
                return null;
            default:
                return null;
        }
    }

    private T ReadSection<T>(ConfigNode? child, string path, Func<Section, T> read) => Read(context, child, path, read);

    private ImmutableArray<T> ReadList<T>(ConfigNode.Entry entry, string key, Kind<T> kind)
    {
        if (entry.Value.IsEmpty)
            return [];
        if (entry.Value is not ConfigNode.Sequence sequence)
            return TryScalar(entry.Value, PathOf(key), kind, out var only) ? [only] : [];
        var values = ImmutableArray.CreateBuilder<T>(sequence.Items.Length);
        for (var i = 0; i < sequence.Items.Length; i++)
        {
            if (TryScalar(sequence.Items[i], $"{PathOf(key)}[{i}]", kind, out var value))
                values.Add(value);
        }

        return values.ToImmutable();
    }

    private bool TryScalar<T>(ConfigNode value, string path, Kind<T> kind, out T result)
    {
        if (value is ConfigNode.Scalar { IsEmpty: false } scalar && kind.Read(scalar.Text, out result))
            return true;
        result = default!;
        if (value.IsEmpty)
            context.Report(value, path, "no value", $"{kind.Expected}; leave the key out for its default");
        else if (value is ConfigNode.Scalar { Text: var text })
            Wrong(value, path, text, kind);
        else
            context.Report(value, path, $"{value.Description} is not right here", kind.Expected);
        return false;
    }

    private void Wrong<T>(ConfigNode value, string path, string text, Kind<T> kind)
    {
        if (kind.Why?.Invoke(text) is { } why)
            context.Report(value, path, why);
        else
            context.Report(
                value,
                path,
                $"{ConfigNode.Quote(text)} is not right here",
                kind.Expected,
                kind.Words.Any(static w => w.Any(char.IsLetter)) ? NearestName.Of(text, kind.Words) : null);
    }

    private T Keep<T>(string key, T value, string fallbackText)
    {
        var shown = Find(key)?.Value is { } written ? TextOf(written) : fallbackText.Replace("`", null, StringComparison.Ordinal);
        context.Settings.Add(new Setting(PathOf(key), Setting.Canonical(value), shown) { IsWritten = Has(key) });
        return value;
    }

    private string? Reads(string key, string? file)
    {
        if (file is not null)
            context.Files[PathOf(key)] = file;
        return file;
    }

    private static string TextOf(ConfigNode node) => node switch
    {
        ConfigNode.Scalar { Text: var text } => text,
        ConfigNode.Sequence { Items: var items } => $"[{string.Join(", ", items.Select(TextOf))}]",
        ConfigNode.Mapping { Entries: var entries } =>
            $"{{ {string.Join(", ", entries.Select(static e => $"{e.Key}: {TextOf(e.Value)}"))} }}",
        _ => string.Empty,
    };

    private T Missing<T>(string key, string expected)
    {
        ReportMissing(key, expected);
        return default!;
    }

    private void Know(string key, string? type, string? fallbackText, string doc)
    {
        asked.Add(key);
        context.Describe(new KeyReference(PathOf(key), type, fallbackText, doc));
    }

    private ConfigNode.Entry? Find(string key) => Entries.FirstOrDefault(e => string.Equals(e.Key, key, StringComparison.Ordinal));

    private string PathOf(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    private static string TypeText<T>(Kind<T> kind) =>
        kind.Words.IsEmpty ? kind.Name : string.Join(" \\| ", kind.Words.Select(static w => $"`{w}`"));
}
