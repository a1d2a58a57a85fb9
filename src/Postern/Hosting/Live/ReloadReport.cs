using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Postern.Configuration;
using Postern.Relay.DovecotAuth;
using Postern.Smtp;

namespace Postern.Hosting.Live;

/// <summary>What became of a new configuration.</summary>
/// <param name="Before">The id of the one that was in force.</param>
/// <param name="After">The id of the one that is; the same where nothing changed.</param>
internal sealed record ReloadReport(string Before, string After)
{
    public string Source { get; init; } = string.Empty;

    /// <summary>Everything that stands against it; then nothing was changed.</summary>
    public ImmutableArray<string> Errors { get; init; } = [];

    /// <summary>What is another value now.</summary>
    public ImmutableArray<KeyChange> Changed { get; init; } = [];

    /// <summary>Endpoints that are bound since.</summary>
    public ImmutableArray<string> Opened { get; init; } = [];

    /// <summary>Endpoints that stayed bound, with what waits in their backlog.</summary>
    public ImmutableArray<string> Kept { get; init; } = [];

    /// <summary>Endpoints that take no more connections.</summary>
    public ImmutableArray<string> Closed { get; init; } = [];

    /// <summary>For people, a line each.</summary>
    [JsonIgnore]
    public IEnumerable<string> Lines =>
    [
        .. Changed.Select(static c => c.Line),
        .. Opened.Select(static o => $"opened {o}"),
        .. Closed.Select(static c => $"closed {c}"),
        .. Kept.Select(static k => $"kept {k}"),
    ];

    public static ReloadReport Refused(ImmutableArray<string> errors) => new(string.Empty, string.Empty) { Errors = errors };

    public static ReloadReport Of(
        string before, string after, Compiled old, Compiled next, AppliedListeners listeners, AppliedAuthPlaces places) =>
        new(before, after)
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

    private static IEnumerable<KeyChange> Changes(Compiled old, Compiled next)
    {
        var before = old.Configuration.Settings.ToDictionary(static s => s.Path, StringComparer.Ordinal);
        foreach (var now in next.Configuration.Settings)
        {
            if (!before.Remove(now.Path, out var was))
            {
                if (now.IsWritten)
                    yield return new KeyChange(now.Path, From: null, now.Shown);
            }
            else if (was.Meaning != now.Meaning
                || (old.Digests.GetValueOrDefault(now.Path) is { } digest
                    && next.Digests.GetValueOrDefault(now.Path) is { } other
                    && digest != other))
            {
                yield return new KeyChange(now.Path, was.Shown, now.Shown);
            }
        }

        foreach (var (path, was) in before)
        {
            if (was.IsWritten)
                yield return new KeyChange(path, was.Shown, null);
        }
    }

    /// <param name="From">As it was written; null where the key is new.</param>
    /// <param name="To">As it is written; null where the key is gone.</param>
    internal sealed record KeyChange(string Key, string? From, string? To)
    {
        [JsonIgnore]
        public string Line => (From, To) switch
        {
            (null, { } to) => $"{Key}: {to} ({When})",
            ({ } from, null) => $"{Key}: no more {from} ({When})",
            ({ } from, { } to) when from == to => $"{Key}: {from}, with another content ({When})",
            _ => $"{Key}: {From} -> {To} ({When})",
        };

        private string When => Effect.Find(Key) ?? Effect.NewConnections;
    }
}
