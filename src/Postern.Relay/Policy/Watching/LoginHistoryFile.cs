using System.Globalization;
using System.Numerics;
using System.Text;
using Postern.Relay.Policy.Counters;

namespace Postern.Relay.Policy.Watching;

/// <summary>
/// The file that histories outlive a restart in: lines that are appended, each with its sum (CRC-32C), the last of the same login counting;
/// written anew when most of it is old. A line that does not read is a login whose history begins anew.
/// </summary>
internal sealed class LoginHistoryFile(string path)
{
    private const string Header = "postern logins 1";
    private const string NoCredential = "-";
    private const int LeastRewritten = 100;

    private int lines = int.MaxValue;
    private bool isTold;

    public delegate void Writing(bool isAll, Action<WatchedLogin, ReadOnlyMemory<byte>> write);

    /// <param name="tell">What is wrong, for the log.</param>
    public IEnumerable<(WatchedLogin Login, LoginHistory History)> Read(Action<string> tell)
    {
        string text;
        try
        {
            text = File.Exists(path) ? File.ReadAllText(path, Encoding.Latin1) : string.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tell($"{path} cannot be read, what logins did before is not known: {e.Message}");
            return [];
        }

        var found = new Dictionary<WatchedLogin, LoginHistory>();
        var broken = 0;
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            if (TryRead(line) is var (login, history))
                found[login] = history;
            else
                broken++;
        }

        if (broken > 0)
            tell(string.Create(CultureInfo.InvariantCulture, $"{path}: {broken} lines do not read; those logins begin anew"));
        return found.Select(static one => (one.Key, one.Value));
    }

    /// <summary>Asks for what has changed, or for all of it, and writes that.</summary>
    /// <param name="count">How many logins there are.</param>
    public void Write(int count, Writing ask, Action<string> tell)
    {
        var isNew = lines > Math.Max(LeastRewritten, count * 4L);
        var text = new StringBuilder(isNew ? Header + "\n" : string.Empty);
        var written = 0;
        ask(isNew, (login, octets) =>
        {
            var said = $"{Uri.EscapeDataString(login.Account)} {login.Credential ?? NoCredential} {Convert.ToBase64String(octets.Span)}";
            text.Append(said).Append(' ').Append(Sum(said).ToString("x8", CultureInfo.InvariantCulture)).Append('\n');
            written++;
        });
        if (written == 0)
            return;
        try
        {
            WindowFile.Save(path, text.ToString(), isNew);
            lines = isNew ? written : lines + written;
            isTold = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            lines = int.MaxValue; // all of it, next time
            if (!isTold)
                tell($"{path} cannot be written: {e.Message}");
            isTold = true;
        }
    }

    private static (WatchedLogin Login, LoginHistory History)? TryRead(string line)
    {
        if (line.LastIndexOf(' ') is not (> 0 and var end)
            || !uint.TryParse(line.AsSpan(end + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var sum)
            || sum != Sum(line.AsSpan(0, end))
            || line[..end].Split(' ') is not [var account, var credential, var octets])
            return null;
        var kept = new byte[LoginHistory.Length];
        return Convert.TryFromBase64String(octets, kept, out var length) && LoginHistory.TryLoad(kept.AsSpan(0, length)) is { } history
            ? (new WatchedLogin(Uri.UnescapeDataString(account), credential == NoCredential ? null : credential), history)
            : null;
    }

    private static uint Sum(ReadOnlySpan<char> text)
    {
        var sum = uint.MaxValue;
        foreach (var letter in text)
            sum = BitOperations.Crc32C(sum, (byte)letter);
        return ~sum;
    }
}
