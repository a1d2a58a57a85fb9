using System.Collections.Immutable;
using System.Globalization;
using Postern.Configuration;
using Postern.Machine;
using Postern.Relay.Delivery.Aliases;

namespace Postern.Hosting.Live;

/// <summary>
/// The files of <c>delivery.aliases</c> and <c>delivery.forwards</c>, read when a server is made of the configuration: who only asks for
/// the configuration does not wait for a million lines.
/// </summary>
internal sealed class AliasSources
{
    private const int MostCircles = 20;

    private readonly AliasLoad load;
    private readonly ImmutableArray<string> keys;

    private AliasSources(AliasLoad load, ImmutableArray<string> keys) => (this.load, this.keys) = (load, keys);

    public AliasTable Table => load.Table;

    /// <summary>Reads them.</summary>
    /// <param name="errors">Takes what is wrong, at the line of the file that it is about.</param>
    /// <param name="warnings">Takes what should be known.</param>
    public static AliasSources Load(
        PosternConfiguration configuration,
        CompileFor purpose,
        ImmutableArray<(ConfigurationError Error, string Todo)>.Builder errors,
        ImmutableArray<ConfigurationError>.Builder warnings)
    {
        var delivery = configuration.Delivery;
        (string Key, AliasSource Source)[] sources =
        [
            .. delivery.Aliases.Select((one, i) => (Key("aliases", i), one.ToSource(configuration.Server.Hostname))),
            .. delivery.Forwards.Select((one, i) => (Key("forwards", i), one.ToSource(configuration.Server.Hostname))),
        ];
        var found = new AliasSources(AliasTable.Load([.. sources.Select(static s => s.Source)]), [.. sources.Select(static s => s.Key)]);
        foreach (var problem in found.load.Problems)
            errors.Add((found.At(configuration, problem), "Mend the line; until then the server keeps what it had."));
        warnings.AddRange(found.load.Doubts.Select(doubt => found.At(configuration, doubt)));
        if (purpose == CompileFor.Checking && found.load.Problems.IsEmpty)
            warnings.AddRange(found.Table.Circles(MostCircles).Select(circle => found.At(configuration, circle)));
        foreach (var (key, source) in sources)
        {
            if (source.AllowsCommands && IsOpenToOthers(source.File))
                warnings.Add(configuration.ErrorAt(
                    key, $"{source.File} may name commands, and others than its owner can write to it: chmod go-w {source.File}"));
        }

        return found;
    }

    /// <summary>The files that the configuration names, and what those of aliases include.</summary>
    public ImmutableArray<string> AllFiles(PosternConfiguration configuration) =>
        [.. configuration.Files.Values.Concat(load.Files.Keys.Order(StringComparer.Ordinal)).Distinct(StringComparer.Ordinal)];

    /// <summary>What stood in a file when it was read; of another one what stands in it.</summary>
    public string DigestOf(string file) => load.Files.TryGetValue(file, out var digest) ? digest : FileDigest.Of(file);

    /// <summary>The same of a key: of a file of aliases together with all that files of aliases include.</summary>
    public string DigestOf(string key, string file) => keys.Contains(key, StringComparer.Ordinal)
        && key.StartsWith("delivery.aliases", StringComparison.Ordinal)
            ? string.Join(',', load.Included.Select(DigestOf).Order(StringComparer.Ordinal).Prepend(DigestOf(file)))
            : DigestOf(file);

    private ConfigurationError At(PosternConfiguration configuration, AliasProblem problem) => problem.Line == 0
        ? configuration.ErrorAt(keys[problem.Source], problem.Words)
        : new ConfigurationError(problem.File, problem.Line, Column: 1, keys[problem.Source], problem.Words);

    private static string Key(string list, int index) => string.Create(CultureInfo.InvariantCulture, $"delivery.{list}[{index}].file");

    private static bool IsOpenToOthers(string file)
    {
        try
        {
            return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
