using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>logs</c>: where events are written, one JSON object a line.</summary>
/// <param name="Directory">Relative to <c>server.data</c>, or absolute.</param>
/// <param name="Keep">Whole days besides today.</param>
/// <param name="Most">Octets of all files together.</param>
/// <param name="Subject">Whether the subjects of messages are written.</param>
internal sealed record LogsOptions(string Directory, int Keep = 90, long Most = 10_000_000_000, bool Subject = false)
{
    public static LogsOptions Read(Section section) =>
        new(section.Value(
            "directory", Kinds.FilePath, "logs", "`logs`", "The directory of the log files; a relative path is below `server.data`."),
            section.Value("keep", Kinds.Count, 90, "90", "Days kept besides today; older files are deleted."),
            section.Value(
                "most",
                Kinds.Size,
                10_000_000_000,
                "10GB",
                "All log files together; beyond it the oldest file of the largest kind is deleted. "
                    + "What clients without a login cause may be a twentieth of it, for each kind and day; the rest is counted. "
                    + "Short of room, the log stops before the spool does."),
            section.Value(
                "subject",
                Kinds.Word(("true", true), ("false", false)),
                fallback: false,
                "false",
                "`true`: the event of an accepted message has its subject. It is found by nobody who may not read the log, "
                    + "but it often says what its sender would not want others to read."));
}
