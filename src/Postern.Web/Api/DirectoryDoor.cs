using Postern.Relay.Admin;
using Postern.Web.Calls;

namespace Postern.Web.Api;

/// <summary>The directory as one caller asks it.</summary>
internal sealed record DirectoryDoor(DirectoryQueries Queries, DirectoryCommands Commands)
{
    /// <summary>Where there is no directory.</summary>
    public static Answer None => Answer.No(Problems.NotFound, "This server keeps no directory.");

    public static DirectoryDoor? Of(Call call) => call.Server.Directory is { } directory
        ? new(
            new DirectoryQueries(directory, call.Server.Clock),
            new DirectoryCommands(directory, call.Server.Clock, call.Server.Audit, call.By))
        : null;
}
