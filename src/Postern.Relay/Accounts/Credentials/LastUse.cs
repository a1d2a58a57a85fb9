using System.Globalization;
using System.Net;
using System.Text;

namespace Postern.Relay.Accounts.Credentials;

/// <summary>When and where a credential logged in last.</summary>
/// <param name="At">UTC, in whole milliseconds.</param>
/// <param name="Client">Its address; null for a client without one.</param>
/// <param name="Listener">The name of the listener; null where it is not known.</param>
public sealed record LastUse(DateTimeOffset At, string? Client, string? Listener);

/// <summary>
/// The file beside the directory's database that holds the last use of each credential: lines of <see cref="LineOctets"/> octets, that of
/// number N at its place, so that one use is one small write and nothing that was read of the directory is out of date by it. Whoever reads
/// needs no lock: a line is within one page and is whole or not there. Nothing in it is needed to log in.
/// </summary>
/// <param name="path">Need not exist.</param>
public sealed class LastUseFile(string path)
{
    private const string Name = "last-use";

    /// <summary>A divisor of the page size: no line crosses the border of a page.</summary>
    private const int LineOctets = 128;

    private const string Form = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public string Path => path;

    /// <param name="database">The path of the directory's database.</param>
    public static LastUseFile Beside(string database) =>
        new(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(database) ?? string.Empty, Name));

    /// <summary>Null where the credential was not used, or its line cannot be read.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor by this user.</exception>
    public LastUse? Read(long number)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> line = stackalloc byte[LineOctets];
            return RandomAccess.Read(file, line, OffsetOf(number)) == LineOctets
                && Parse(Encoding.ASCII.GetString(line)) is { } use
                && use.Number == number
                ? use.Use
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Of every credential, by number; nothing where there is no file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor by this user.</exception>
    public IReadOnlyDictionary<long, LastUse> ReadAll()
    {
        var all = new Dictionary<long, LastUse>();
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var line = new byte[LineOctets];
            for (var number = 0L; file.ReadAtLeast(line, LineOctets, throwOnEndOfStream: false) == LineOctets; number++)
            {
                if (Parse(Encoding.ASCII.GetString(line)) is { } use && use.Number == number)
                    all[number] = use.Use;
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Nothing was used yet.
        }

        return all;
    }

    /// <summary>Puts the lines in their places; the file is made where there is none, for its owner alone.</summary>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor by this user.</exception>
    public void Write(IEnumerable<KeyValuePair<long, LastUse>> uses)
    {
        var how = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, how);
        foreach (var (number, use) in uses)
            RandomAccess.Write(file.SafeFileHandle, LineOf(number, use), OffsetOf(number));
    }

    private static long OffsetOf(long number) => number * LineOctets;

    /// <summary>What does not fit is left out from the end: the name of a listener.</summary>
    private static byte[] LineOf(long number, LastUse use)
    {
        var at = use.At.UtcDateTime.ToString(Form, CultureInfo.InvariantCulture);
        var text = string.Create(CultureInfo.InvariantCulture, $"{number} {at} {use.Client ?? "-"} {use.Listener ?? string.Empty}");
        var line = new byte[LineOctets];
        line.AsSpan().Fill((byte)' ');
        Encoding.ASCII.GetBytes(text.AsSpan(0, Math.Min(text.Length, LineOctets - 1)), line);
        line[^1] = (byte)'\n';
        return line;
    }

    private static (long Number, LastUse Use)? Parse(string line) =>
        line[^1] == '\n'
            && line.TrimEnd().Split(' ', 4) is [var first, var time, var client, .. var rest]
            && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && DateTimeOffset.TryParseExact(
                time, Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
            && (client == "-" || IPAddress.TryParse(client, out _))
            ? (number, new LastUse(at, client == "-" ? null : client, rest is [{ Length: > 0 } listener] ? listener : null))
            : null;
}
