using System.Globalization;
using Postern.Machine;
using Postern.Relay.Audit;

namespace Postern.Hosting.Data;

/// <summary>Says it where a command changed something and its log did not take that.</summary>
internal static class LostEvents
{
    /// <param name="log">Closed: what is lost is known then.</param>
    public static void Tell(JsonLinesAuditLog log, string directory, Action<string> note)
    {
        if (log.Dropped > 0)
            note(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"warning: {log.Dropped} events of this command are not in the log: "
                        + $"{directory} cannot be written by {UserIdentity.Current}. Give it to the user that postern runs as"));
    }
}
