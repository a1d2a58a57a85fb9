using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>
/// What large receivers say about themselves, as they documented it on the day below, and what is careful where they publish no figure.
/// Every value names where it is from. Kept by hand; docs/shaping.md has the same table, which a test compares.
/// </summary>
internal static class ShippedShaping
{
    /// <summary>When the documents were read.</summary>
    public const string Day = "2026-11-30";

    private const string Yahoo = "https://help.yahoo.com/kb/SLN3433.html";
    private const string Orange = "https://postmaster.orange.fr";
    private const string Comcast = "https://postmaster.comcast.net";
    private const string Gmail = "https://support.google.com/a/answer/3726730";
    private const string WebDe = "https://postmaster.web.de/de/fehlermeldungen";
    private const string Undocumented = "careful, not documented";

    public static ImmutableArray<ShapingEntry> Entries { get; } =
    [
        // Yahoo, AOL and whoever has mail there: a connection ends without a word after so many.
        At("yahoodns.net").With(ShapingKey.MessagesPerConnection, 20, Yahoo),
        // Orange and Wanadoo.
        At("orange.fr").With(ShapingKey.Connections, 2, Orange)
            .With(ShapingKey.MessagesPerConnection, 100, Orange)
            .With(ShapingKey.RecipientsPerTransaction, 100, Orange),
        At("comcast.net").With(ShapingKey.Connections, 25, Comcast).With(ShapingKey.RecipientsPerTransaction, 100, Comcast),
        // Google says 421 4.7.0 and 4.7.28 of a sender, and nowhere that it greylists; 450 4.2.1 is about one mailbox.
        At("google.com", "googlemail.com").With(ShapingKey.TooMuch, ["4.7.1"], "4.7.1", $"{Undocumented}; {Gmail} names no greylisting"),
        // "Too many messages in too short a time: try again in some hours, and at a lower rate."
        At("web.de", "gmx.net").With(ShapingKey.SuspendFor, TimeSpan.FromHours(1), "1h", $"{WebDe}; the hour is {Undocumented}"),
    ];

    private static ShapingEntry At(params ReadOnlySpan<string> domains) =>
        new() { IsShipped = true, Hosts = [.. domains.ToArray().Select(static d => $".{d}")] };

    private static ShapingEntry With(this ShapingEntry entry, ShapingKey<int> key, int value, string source) =>
        entry.With(key, value, value.ToString(System.Globalization.CultureInfo.InvariantCulture), source);

    private static ShapingEntry With<T>(this ShapingEntry entry, ShapingKey<T> key, T value, string text, string source) =>
        entry with { Values = entry.Values.Add(key, new ShapingValue(value, text, $"shipped, {source}, {Day}")) };
}
