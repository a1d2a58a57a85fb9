using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>logs</c>: where events are written, one JSON object a line.</summary>
/// <param name="Directory">Relative to <c>server.data</c>, or absolute.</param>
/// <param name="Keep">Whole days besides today.</param>
/// <param name="Most">Octets of all files together.</param>
internal sealed record LogsOptions(string Directory, int Keep = 90, long Most = 10_000_000_000)
{
    public static LogsOptions Read(Section section) =>
        new(section.Value("directory", Kinds.FilePath, "logs", "`logs`", "The directory of the log files; a relative path is below `server.data`."),
            section.Value("keep", Kinds.Count, 90, "90", "Days kept besides today; older files are deleted."),
            section.Value("most", Kinds.Size, 10_000_000_000, "10GB", "All log files together; beyond it the oldest file of the largest kind is deleted. What clients without a login cause may be a twentieth of it, for each kind and day; the rest is counted. Short of room, the log stops before the spool does."));
}
