using System.Globalization;
using System.Numerics;
using System.Text;

namespace Postern.Relay.Policy;

/// <summary>
/// Small files of lines in the data directory, which outlive a restart: appended to, or replaced as a whole. A line may end with its sum
/// (CRC-32C), so that one which was torn or damaged is known.
/// </summary>
internal static class LineFile
{
    /// <summary>
    /// Appends what is written, or makes a new file of it that takes the place of the old one; only the server's user may read it.
    /// </summary>
    public static void Save(string path, bool isNew, Action<TextWriter> write)
    {
        var name = isNew ? $"{path}.new" : path;
        var how = new FileStreamOptions { Mode = isNew ? FileMode.Create : FileMode.Append, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(name, how))
        {
            using var writer = new StreamWriter(file, Encoding.Latin1, leaveOpen: true);
            write(writer);
            writer.Flush();
            if (isNew)
                file.Flush(flushToDisk: true);
        }

        if (isNew)
            File.Move(name, path, overwrite: true);
    }

    public static void WriteSummed(TextWriter to, string said)
    {
        to.Write(said);
        to.Write(' ');
        to.Write(SumOf(said).ToString("x8", CultureInfo.InvariantCulture));
        to.Write('\n');
    }

    /// <summary>What a line says, where its sum is right; else null.</summary>
    public static string? WithoutSum(string line) =>
        line.LastIndexOf(' ') is > 0 and var end
            && uint.TryParse(line.AsSpan(end + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var sum)
            && sum == SumOf(line.AsSpan(0, end))
            ? line[..end]
            : null;

    private static uint SumOf(ReadOnlySpan<char> text)
    {
        var sum = uint.MaxValue;
        foreach (var letter in text)
            sum = BitOperations.Crc32C(sum, (byte)letter);
        return ~sum;
    }
}
