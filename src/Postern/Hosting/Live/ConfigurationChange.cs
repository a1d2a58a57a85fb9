using System.Globalization;
using Postern.Configuration;
using Postern.Relay.DovecotAuth;
using Postern.Smtp;
using Postern.Web.Documents;

namespace Postern.Hosting.Live;

/// <summary>What is different between two configurations, as a report says it.</summary>
internal static class ConfigurationChange
{
    public static ReloadReport ReportOf(
        string before, string after, Compiled old, Compiled next, AppliedListeners listeners, AppliedAuthPlaces places) =>
        new ReloadReport(before, after)
        {
            Source = next.Configuration.Source,
            Changed = [.. Changes(old, next)],
            Opened = [.. listeners.Added.Select(Text), .. places.Added.Select(Text)],
            Kept = [.. listeners.Kept.Concat(listeners.Changed).Select(Text), .. places.Kept.Select(Text)],
            Closed =
            [
                .. listeners.Removed.Select(static e => e.OpenSessions == 0
                    ? Text(e)
                    : string.Create(CultureInfo.InvariantCulture, $"{Text(e)}: {e.OpenSessions} open sessions go on to their end")),
                .. places.Removed.Select(static e => e.Connections == 0
                    ? Text(e)
                    : string.Create(CultureInfo.InvariantCulture, $"{Text(e)}: {e.Connections} connections end with what they have asked")),
            ],
        };

    private static string Text(AppliedEndpoint endpoint) => $"{endpoint.Listener} {endpoint.Endpoint}";

    private static string Text(AuthEndpoint endpoint) => $"{endpoint.Listener.Name} {endpoint.Place}";

    private static IEnumerable<ReloadReport.KeyChange> Changes(Compiled old, Compiled next)
    {
        var before = old.Configuration.Settings.ToDictionary(static s => s.Path, StringComparer.Ordinal);
        foreach (var now in next.Configuration.Settings)
        {
            if (!before.Remove(now.Path, out var was))
            {
                if (now.IsWritten)
                    yield return Of(now.Path, from: null, now.Shown);
            }
            else if (was.Meaning != now.Meaning
                || (old.Digests.GetValueOrDefault(now.Path) is { } digest
                    && next.Digests.GetValueOrDefault(now.Path) is { } other
                    && digest != other))
            {
                yield return Of(now.Path, was.Shown, now.Shown);
            }
        }

        foreach (var (path, was) in before)
        {
            if (was.IsWritten)
                yield return Of(path, was.Shown, to: null);
        }
    }

    private static ReloadReport.KeyChange Of(string key, string? from, string? to) =>
        new(key, from, to, Effect.Find(key) ?? Effect.NewConnections);
}
