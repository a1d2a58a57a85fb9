using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Postern.Web.Documents;

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

    /// <param name="From">As it was written; null where the key is new.</param>
    /// <param name="To">As it is written; null where the key is gone.</param>
    /// <param name="When">From when on it counts, for people.</param>
    internal sealed record KeyChange(string Key, string? From, string? To, string When)
    {
        [JsonIgnore]
        public string Line => (From, To) switch
        {
            (null, { } to) => $"{Key}: {to} ({When})",
            ({ } from, null) => $"{Key}: no more {from} ({When})",
            ({ } from, { } to) when from == to => $"{Key}: {from}, with another content ({When})",
            _ => $"{Key}: {From} -> {To} ({When})",
        };
    }
}
