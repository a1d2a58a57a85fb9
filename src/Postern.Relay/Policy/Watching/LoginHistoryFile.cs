using System.Globalization;
using System.Text;

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
        var found = new Dictionary<WatchedLogin, LoginHistory>();
        var broken = 0;
        try
        {
            // The last line is torn where the process was killed: that is no damage.
            var isBroken = false;
            foreach (var line in File.Exists(path) ? File.ReadLines(path, Encoding.Latin1).Skip(1) : [])
            {
                broken += isBroken ? 1 : 0;
                var read = TryRead(line);
                isBroken = read is null;
                if (read is var (login, history))
                    found[login] = history;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tell($"{path} cannot be read, what logins did before is not known: {e.Message}");
            return [];
        }

        if (broken > 0)
            tell(string.Create(CultureInfo.InvariantCulture, $"{path}: {broken} lines do not read; those logins begin anew"));
        return found.Select(static one => (one.Key, one.Value));
    }

    /// <summary>Asks for what has changed, or for all of it, and writes that.</summary>
    /// <param name="count">How many logins there are.</param>
    public void Write(int count, Writing ask, Action<string> tell)
    {
        if (count == 0)
            return;
        var isNew = lines > Math.Max(LeastRewritten, count * 4L);
        var written = 0;
        try
        {
            LineFile.Save(path, isNew, to =>
            {
                if (isNew)
                    to.Write(Header + "\n");
                ask(isNew, (login, octets) =>
                {
                    var name = Uri.EscapeDataString(login.Account);
                    LineFile.WriteSummed(to, $"{name} {login.Credential ?? NoCredential} {Convert.ToBase64String(octets.Span)}");
                    written++;
                });
            });
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
        if (LineFile.WithoutSum(line)?.Split(' ') is not [var account, var credential, var octets])
            return null;
        var kept = new byte[LoginHistory.Length];
        return Convert.TryFromBase64String(octets, kept, out var length) && LoginHistory.TryLoad(kept.AsSpan(0, length)) is { } history
            ? (new WatchedLogin(Uri.UnescapeDataString(account), credential == NoCredential ? null : credential), history)
            : null;
    }
}
