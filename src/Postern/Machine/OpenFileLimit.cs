using System.Globalization;

namespace Postern.Machine;

/// <summary>
/// How many files this process may open (RLIMIT_NOFILE). With too few the runtime cannot load its own parts and ends with words that nobody
/// understands, so a server looks first.
/// </summary>
internal static class OpenFileLimit
{
    /// <summary>A server at rest has about 170 open.</summary>
    public const int Least = 512;

    private const string Todo = "Allow more: LimitNOFILE= in a systemd unit, or ulimit -n before the start.";

    /// <summary>Why no server can run with it; null when one can.</summary>
    /// <param name="limits">As /proc/self/limits; null: that.</param>
    public static Problem? WhyNot(string? limits = null) =>
        Read(limits) is { } most && most < Least
            ? new Problem(
                string.Create(CultureInfo.InvariantCulture, $"this process may open {most} files, and a server needs {Least} at least"),
                Todo)
            : null;

    /// <summary>What to warn of: with fewer files than connections, clients wait although the configuration lets them in.</summary>
    public static string? Doubt(int connections, string? limits = null) =>
        Read(limits) is { } most && most < connections
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"this process may open {most} files, and limits.connections allows {connections}: further clients will wait. {Todo}")
            : null;

    /// <summary>The same of connections to next hops: where files run short, mail waits.</summary>
    public static string? DoubtOutward(int connections, string? limits = null) =>
        Read(limits) is { } most && most - Least < connections
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"this process may open {most} files, and delivery.connections allows {connections} to next hops: mail will wait. {Todo}")
            : null;

    /// <summary>
    /// Null where it cannot be known, or there is none. The runtime raises the soft limit to the hard one, so that one counts.
    /// </summary>
    private static long? Read(string? limits)
    {
        const string Line = "Max open files";
        try
        {
            var words = (limits ?? File.ReadAllText("/proc/self/limits")).Split('\n')
                .FirstOrDefault(static line => line.StartsWith(Line, StringComparison.Ordinal))?[Line.Length..].Split(
                    ' ', StringSplitOptions.RemoveEmptyEntries);
            return words is [_, var hard, ..] && long.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out var most)
                ? most
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
