using System.Collections.Immutable;
using System.Globalization;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// How far the log has gone on to somebody: an offset in each file, and how long the file was then. Remembered as lines of a file beside
/// the log (<c>syslog.place</c>), which is replaced as a whole.
/// </summary>
internal sealed record LogPlace(ImmutableDictionary<AuditFileName, (long At, long Length)> Files)
{
    private const string Extension = ".place";

    public static LogPlace Beginning { get; } = new(ImmutableDictionary<AuditFileName, (long At, long Length)>.Empty);

    public static string PathOf(string directory, string name) => Path.Join(directory, name + Extension);

    /// <summary>Behind all that is in the files now.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public static LogPlace EndOf(string directory)
    {
        var files = Beginning.Files.ToBuilder();
        foreach (var name in AuditFileName.List(directory))
        {
            if (new FileInfo(Path.Join(directory, name.ToString())) is { Exists: true, Length: var length })
                files[name] = (length, length);
        }

        return new LogPlace(files.ToImmutable());
    }

    /// <summary>Null where none was ever remembered.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="FormatException">It is damaged.</exception>
    public static LogPlace? Load(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var files = Beginning.Files.ToBuilder();
        foreach (var line in lines)
        {
            if (line.Split(' ') is not [var file, var at, var length]
                || AuditFileName.Parse(file) is not { } name
                || !long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
                || !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var known))
                throw new FormatException($"{path} is damaged");
            files[name] = (offset, known);
        }

        return new LogPlace(files.ToImmutable());
    }

    /// <summary>The same place, knowing which files there are and how long they are: what is deleted later is missed then.</summary>
    public LogPlace Knowing(LogPlace seen)
    {
        var files = Files.Where(file => seen.Files.ContainsKey(file.Key)).ToImmutableDictionary().ToBuilder();
        foreach (var (name, (_, length)) in seen.Files)
            files[name] = (Math.Min(files.GetValueOrDefault(name).At, length), length);
        return files.Count == Files.Count && files.All(file => Files.TryGetValue(file.Key, out var known) && known == file.Value)
            ? this
            : new LogPlace(files.ToImmutable());
    }

    /// <exception cref="IOException">It could not be written; the one before is there.</exception>
    public void Save(string path)
    {
        if (Path.GetDirectoryName(path) is { } directory && !Directory.Exists(directory))
            AuditFile.CreateDirectory(directory);
        var made = path + ".new";
        File.Delete(made);
        using (var file = AppendHandle.Open(made))
        {
            AppendHandle.Write(file, System.Text.Encoding.ASCII.GetBytes(ToString()));
            RandomAccess.FlushToDisk(file);
        }

        File.Move(made, path, overwrite: true);
    }

    public override string ToString() => string.Concat(Files.OrderBy(static file => file.Key.ToString(), StringComparer.Ordinal).Select(
        static file => string.Create(CultureInfo.InvariantCulture, $"{file.Key} {file.Value.At} {file.Value.Length}\n")));
}
