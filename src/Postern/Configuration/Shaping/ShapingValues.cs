using System.Collections.Immutable;
using System.Globalization;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery.Shaping;

namespace Postern.Configuration.Shaping;

/// <summary>What a section says about mail that leaves: the same keys in the shaping file and in a route.</summary>
internal static class ShapingValues
{
    private const string Nothing = "none";

    public static ImmutableDictionary<ShapingKey, ShapingValue> Read(Section section)
    {
        var values = ImmutableDictionary.CreateBuilder<ShapingKey, ShapingValue>();
        Add(ShapingKey.Connections, Kinds.Count, "Connections at a time: to each host and address, and in all to what the entry names.");
        Add(ShapingKey.NewConnections, Rates, "How many connections may be begun in a time.");
        Add(ShapingKey.MessagesPerConnection, Kinds.Count, "After so many messages a connection is made anew.");
        Add(
            ShapingKey.RecipientsPerTransaction,
            Kinds.Count,
            "Recipients in a transaction; the others go in the next, in the same attempt.");
        Add(ShapingKey.Messages, Rates, "Messages in a time, such as `100/min`, `20/s burst 5` or `5000/1h`.");
        Add(ShapingKey.Recipients, Rates, "Recipients in a time.");
        Add(ShapingKey.Bytes, SizeRates, "Octets of content in a time, such as `50MB/min`.");
        Add(
            ShapingKey.Deadline,
            Kinds.Duration,
            "How long a transaction may take beside its content, `30m` where nothing is said; the answer to the end of data always has 10 "
                + "minutes.");
        Add(
            ShapingKey.MinimumRate,
            Speeds,
            "How fast content must be taken, `500B/s` where nothing is said, beside three minutes to begin with.");
        Add(ShapingKey.RetryFirst, Kinds.Duration, "The wait after the first failed attempt, in the place of `delivery.retry.first`.");
        Add(ShapingKey.Greylisted, Kinds.Duration, "In the place of `delivery.retry.greylisted`.");
        Add(
            ShapingKey.SuspendAfter,
            Kinds.Count,
            "Answers in a row that it is too much, 5 where nothing is said, after which what waits is put off.");
        Add(ShapingKey.SuspendFor, Kinds.Duration, "For how long nothing is tried then; else a minute at most.");
        var codes = section.List(
            ShapingKey.TooMuch.Name,
            Codes,
            [],
            "none",
            "Codes or enhanced codes, such as `4.7.1`, by which the receiver says that it is too much, beside those that say so "
                + "everywhere.");
        if (section.Has(ShapingKey.TooMuch.Name))
            values[ShapingKey.TooMuch] = new ShapingValue(
                codes, codes.IsEmpty ? Nothing : string.Join(' ', codes), section.PlaceOf(ShapingKey.TooMuch.Name));
        return values.ToImmutable();

        void Add<T>(ShapingKey<T> key, Kind<T> kind, string doc)
        {
            var said = section.Value<ShapingValue?>(key.Name, OrNothing(kind), fallback: null, "as the next less specific entry says", doc);
            if (said is not null)
                values[key] = said with { Source = section.PlaceOf(key.Name) };
        }
    }

    /// <summary>Octets a second.</summary>
    private static Kind<long> Speeds { get; } = new("size/s", "a size a second such as 500B/s or 1KB/s", RateText.TryParseSpeed, []);

    private static Kind<Rate> Rates { get; } = new(
        "count/time",
        "a count and a time such as 100/min, 20/s burst 5 or 5000/1h, at most 31 days",
        static (string text, out Rate rate) => RateText.TryParse(text, isOctets: false, out rate),
        []);

    private static Kind<Rate> SizeRates { get; } = new(
        "size/time",
        "a size and a time such as 50MB/min or 1MB/s burst 10MB, at most 31 days",
        static (string text, out Rate rate) => RateText.TryParse(text, isOctets: true, out rate),
        []);

    private static Kind<string> Codes { get; } = new(
        "code", "a reply code or an enhanced code of class 4, such as 421 or 4.7.1", TryCode, []);

    private static bool TryCode(string text, out string code)
    {
        code = text;
        return text.Length > 0
            && text[0] == '4'
            && text.Split('.') is { Length: 1 or 3 } parts
            && parts.All(static p => p.Length is >= 1 and <= 3 && int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            && (parts.Length == 3 || text.Length == 3);
    }

    private static Kind<ShapingValue?> OrNothing<T>(Kind<T> kind) => new(
        $"{kind.Name} or `{Nothing}`",
        $"{kind.Expected}, or '{Nothing}' for no such limit",
        (string text, out ShapingValue? value) =>
        {
            value = text == Nothing ? new ShapingValue(Value: null, text, string.Empty)
                : kind.Read(text, out var read) ? new ShapingValue(read, text, string.Empty)
                : null;
            return value is not null;
        },
        []);
}
