using System.Collections.Immutable;
using Postern.Sasl;

namespace Postern.Configuration.Reading;

/// <summary>
/// What all sections of one file share: its name and directory, the errors found so far, and the reference being written, if one is.
/// </summary>
/// <param name="file">As the operator named it.</param>
/// <param name="directory">What relative paths are relative to.</param>
/// <param name="reference">Takes every key that is asked for; null when a file is read.</param>
internal sealed class ReadContext(string file, string directory, List<ConfigurationError> errors, List<KeyReference>? reference = null)
{
    public string File => file;

    public string Directory => directory;

    public List<ConfigurationError> Errors => errors;

    /// <summary>No file is read: the calls are made to learn which keys there are.</summary>
    public bool IsDescribing => reference is not null;

    /// <summary>Where the values stand that were written, by key path, for errors that are found only when they are used.</summary>
    public Dictionary<string, ConfigNode> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>The files that secrets stand in, by key path; the configuration's own for one that it holds itself.</summary>
    public Dictionary<string, string> SecretFiles { get; } = new(StringComparer.Ordinal);

    /// <summary>Every value that was asked for, its default where it was left out; in the order of the records.</summary>
    public List<Setting> Settings { get; } = [];

    /// <summary>The files whose content counts as part of the configuration, by key path: secrets, authorities and keys.</summary>
    public Dictionary<string, string> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>The secrets that are in Vault, by key path.</summary>
    public Dictionary<string, VaultReference> InVault { get; } = new(StringComparer.Ordinal);

    /// <summary>What they came to, where that is known; the others have something in their place.</summary>
    public IReadOnlyDictionary<VaultReference, Secret> FromVault { get; init; } = ImmutableDictionary<VaultReference, Secret>.Empty;

    public void Place(string key, ConfigNode value) => Places[key] = value;

    public void Describe(KeyReference key) => reference?.Add(key);

    /// <param name="node">Where; null for the file as a whole.</param>
    public void Report(ConfigNode? node, string key, string message, string? expected = null, string? nearest = null) =>
        errors.Add(new(file, node?.Line ?? 0, node?.Column ?? 0, key, message, expected, nearest));
}

/// <summary>What the reference says about one key; a key whose <paramref name="Type"/> is null opens a section.</summary>
internal sealed record KeyReference(string Path, string? Type, string? Default, string Doc);
