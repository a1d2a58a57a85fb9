using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>logs</c>: where events are written, one JSON object a line.</summary>
/// <param name="Directory">Relative to <c>server.data</c>, or absolute.</param>
internal sealed record LogsOptions(string Directory)
{
    public static LogsOptions Read(Section section) =>
        new(section.Value("directory", Kinds.FilePath, "logs", "`logs`", "The directory of the log files; a relative path is below `server.data`."));
}
