using System.Collections.Immutable;
using System.Text;

namespace Postern.Relay.Admin.Import;

/// <summary>One way in which another program writes its users or their rights.</summary>
/// <param name="Word">For <c>--format</c>.</param>
/// <param name="Fits">
/// Whether a line that is neither empty nor a comment can be one of this format; the first such line of a file is told apart.
/// </param>
/// <param name="Read">Reads the lines of a whole file.</param>
public sealed record ImportFormat(string Word, Func<string, bool, bool> Fits, Func<ImportSource, IEnumerable<ImportEntry>> Read)
{
    private const int MaxOctets = 256 << 20;

    /// <summary>Lines that are looked at to tell what a file is.</summary>
    private const int Sample = 200;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Every format, the most particular first: what fits several is taken for the first.</summary>
    public static ImmutableArray<ImportFormat> All { get; } =
    [
        CsvFile.Format, PostfixMap.Format, DovecotPasswd.Format, HtpasswdFile.Format,
    ];

    public static ImportFormat? Find(string word) =>
        All.FirstOrDefault(f => string.Equals(f.Word, word, StringComparison.OrdinalIgnoreCase));

    /// <summary>The format that all of the first lines have; null where there is none, or no line.</summary>
    public static ImportFormat? Guess(ImmutableArray<string> lines)
    {
        var sample = lines.Where(IsEntry).Take(Sample).ToList();
        return sample.Count == 0
            ? null
            : All.FirstOrDefault(f => sample.Select((line, i) => f.Fits(line, i == 0)).All(static fits => fits));
    }

    /// <summary>The lines of a text file, or what is wrong with it.</summary>
    public static (ImmutableArray<string> Lines, string? Problem) ReadLines(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxOctets })
                return ([], $"{path} is larger than {MaxOctets >> 20} MiB");
            var text = StrictUtf8.GetString(System.IO.File.ReadAllBytes(path)).TrimStart('\uFEFF');
            return text.Contains('\0', StringComparison.Ordinal)
                ? ([], $"{path} is not a text file")
                : ([.. text.Split('\n').Select(static l => l.TrimEnd('\r'))], null);
        }
        catch (DecoderFallbackException)
        {
            return ([], $"{path} is not UTF-8 text; of a map, give the file that it was made of");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ([], $"{path} cannot be read: {e.Message}");
        }
    }

    internal static bool IsEntry(string line) => !string.IsNullOrWhiteSpace(line) && line.TrimStart()[0] != '#';
}
