using System.Text;

namespace Postern.Machine;

/// <summary>
/// The name by which this program was called: a link named <c>sendmail</c>, <c>mailq</c> or <c>newaliases</c> makes it that program.
/// </summary>
internal static class CalledAs
{
    private const string OwnCommandLine = "/proc/self/cmdline";

    /// <summary>The arguments as they would stand behind <c>postern</c>.</summary>
    public static string[] Arguments(string[] arguments) => Path.GetFileName(Name()) switch
    {
        "sendmail" => ["sendmail", .. arguments],
        "mailq" => ["sendmail", "-bp", .. arguments],
        "newaliases" => ["sendmail", "-bi", .. arguments],
        _ => arguments,
    };

    /// <summary>The runtime tells which file it runs, and not by which name.</summary>
    private static string? Name()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            var line = File.ReadAllBytes(OwnCommandLine);
            var end = line.IndexOf((byte)0);
            return Encoding.UTF8.GetString(line, 0, end < 0 ? line.Length : end);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
