using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Web.Parts;
using Postern.Web.Traffic;

namespace Postern.Web.Pages;

/// <summary>Whether all is well. Each part may fail alone.</summary>
public sealed record OverviewView
{
    /// <summary>What is wrong now, the worst first.</summary>
    public required Part<ImmutableArray<OpenProblem>> Problems { get; init; }

    public required Part<TrafficView> Traffic { get; init; }

    public required Part<QueueStatistics> Queue { get; init; }

    public required Part<LoginFigures> Logins { get; init; }

    public required Part<ImmutableArray<CertificateFigures>> Certificates { get; init; }

    public required Part<LoadFigures> Load { get; init; }

    /// <summary>No message was ever accepted here.</summary>
    public bool IsNew { get; init; }

    /// <summary>The answer to "is all well?", in one sentence.</summary>
    public (State State, string Sentence) Verdict => Problems switch
    {
        Part<ImmutableArray<OpenProblem>>.Failed(var trouble) =>
            (new("not known", Tone.Warn), $"Whether all is well cannot be told: {trouble.What}."),
        Part<ImmutableArray<OpenProblem>>.Known({ IsEmpty: false } problems) =>
            (problems[0].State, $"{Figures.Count(problems.Length, "problem")}, the worst: {problems[0].What}."),
        _ => (new("all is well", Tone.Good), $"{Traffic.OrDefault?.Sentence}{QueueSentence}".Trim()),
    };

    private string QueueSentence => Queue.OrDefault switch
    {
        null => string.Empty,
        { Messages: 0 } => " The queue is empty.",
        var queue => $" {Figures.Count(queue.Messages, "message")} {(queue.Messages == 1 ? "is" : "are")} in the queue.",
    };
}

/// <summary>Something that is not as it should be.</summary>
/// <param name="State">How bad it is, in a word.</param>
/// <param name="What">In one sentence, without its end.</param>
/// <param name="Todo">What to do about it.</param>
/// <param name="Url">The page that shows what is concerned, already filtered.</param>
public sealed record OpenProblem(State State, string What, string Todo, string Url)
{
    /// <summary>Null where that is not known.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <summary>What happened lately.</summary>
/// <param name="Window">One of <see cref="Windows"/>.</param>
public sealed record TrafficView(string Window, TimeSeries Accepted, TimeSeries Delivered)
{
    public static ImmutableArray<(string Word, string Name, TimeSpan Span)> Windows { get; } =
    [
        ("60m", "60 min", TimeSpan.FromHours(1)), ("24h", "24 h", TimeSpan.FromDays(1)), ("7d", "7 d", TimeSpan.FromDays(7)),
    ];

    internal static TrafficView Of(MinuteCounts counts, string window, TimeSpan span, DateTimeOffset now)
    {
        const int Bars = 60;
        var minutes = (int)span.TotalMinutes / Bars;
        var minute = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
        var begin = minute.AddMinutes(1 - (Bars * minutes));
        TimeSeries.Counts Of(string name, Tone tone, Counted what) => new(name, tone, counts.Read(what, Bars, minutes));
        var step = TimeSpan.FromMinutes(minutes);
        return new TrafficView(
            window,
            new TimeSeries(begin, step, [Of("accepted", Tone.Plain, Counted.Accepted), Of("refused", Tone.Bad, Counted.Refused)]),
            new TimeSeries(
                begin,
                step,
                [
                    Of("delivered", Tone.Good, Counted.Delivered), Of("deferred", Tone.Warn, Counted.Deferred),
                    Of("failed", Tone.Bad, Counted.Failed),
                ]));
    }

    public string? Sentence
    {
        get
        {
            var name = Windows.First(w => w.Word == Window).Name;
            var (accepted, delivered) = (Figures.Count(Sum(Accepted, 0), "message"), Figures.Count(Sum(Delivered, 0), "recipient"));
            return $" {accepted} accepted and {delivered} delivered in {name}.";
        }
    }

    private static long Sum(TimeSeries series, int at) => series.Series.Length > at ? series.Series[at].Values.Sum(static v => (long)v) : 0;
}

/// <param name="Since">From when on these are counted.</param>
/// <param name="Paused">Addresses and names that are not let in for a while.</param>
public sealed record LoginFigures(long Succeeded, long Failed, DateTimeOffset Since, int? Paused);

public sealed record CertificateFigures(string Subject, DateTimeOffset Expires, bool IsSelfSigned);

/// <param name="Gauge">What is shortest.</param>
/// <param name="Value">How much of it is taken, 0 to 1.</param>
public sealed record LoadFigures(State State, string Gauge, double Value)
{
    public int Connections { get; init; }

    public int DeliveryConnections { get; init; }
}
