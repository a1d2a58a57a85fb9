using System.Diagnostics.Metrics;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Events;

/// <summary>
/// What a server measures of connections, sessions, commands, handshakes and the end of messages. Where nobody listens each member costs a
/// look at a field. No label comes from a client: they are names of listeners, verbs, and words of closed lists.
/// </summary>
internal sealed class SmtpInstruments
{
    /// <summary>Of the meter that all instruments of a server belong to.</summary>
    public const string MeterName = "Postern.Smtp";

    private const string Listener = "listener";

    /// <summary>From a memory disk to one that is busy.</summary>
    private static readonly double[] Waits = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10];

    /// <summary>From a program's one message to a client that stays all day.</summary>
    private static readonly double[] Stays = [.01, .05, .1, .5, 1, 5, 15, 60, 300, 1800, 7200];

    private readonly Counter<long> connections;
    private readonly Counter<long> commands;
    private readonly Counter<long> handshakes;
    private readonly Histogram<double> sessions;
    private readonly Histogram<double> acceptance;

    /// <param name="open">The sessions that are open, by listener.</param>
    public SmtpInstruments(Meter meter, Func<IEnumerable<(string Listener, int Sessions)>> open)
    {
        connections = meter.CreateCounter<long>(
            "postern.smtp.connections", "{connection}", "Connections that came in, and what became of them at the door.");
        sessions = meter.CreateHistogram(
            "postern.smtp.session.duration",
            "s",
            "How long sessions lasted.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = Stays });
        commands = meter.CreateCounter<long>("postern.smtp.commands", "{command}", "Commands, by the class of what they were answered.");
        handshakes = meter.CreateCounter<long>("postern.tls.handshakes", "{handshake}", "TLS handshakes.");
        acceptance = meter.CreateHistogram(
            "postern.accept.duration",
            "s",
            "From the last octet of a message to its 250.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = Waits });
        meter.CreateObservableUpDownCounter(
            "postern.smtp.active_sessions",
            () => open().Select(static one => new Measurement<int>(one.Sessions, Tag(Listener, one.Listener))),
            "{session}",
            "Sessions that are open.");
    }

    /// <summary>Whether anybody wants to know how long the end of a message takes.</summary>
    public bool TimesAcceptance => acceptance.Enabled;

    public void Accepted(string listener)
    {
        if (connections.Enabled)
            connections.Add(1, Tag(Listener, listener), Tag("outcome", "accepted"));
    }

    public void TurnedAway(string listener, TurnAwayCause cause)
    {
        if (connections.Enabled)
            connections.Add(1, Tag(Listener, listener), Tag("outcome", WordOf(cause)));
    }

    public void Ended(SessionState session, TimeProvider clock)
    {
        if (sessions.Enabled)
            sessions.Record(Math.Max(0, (clock.GetUtcNow() - session.ConnectedAt).TotalSeconds), Tag(Listener, session.Listener));
    }

    /// <param name="verb">Of the table of verbs, or <c>?</c>.</param>
    public void Answered(string verb, int code)
    {
        if (commands.Enabled)
            commands.Add(1, Tag("verb", verb), Tag("class", ClassOf(code)));
    }

    /// <param name="facts">Null where it failed.</param>
    public void Handshake(TlsFacts? facts)
    {
        if (handshakes.Enabled)
            handshakes.Add(
                1,
                Tag("direction", "in"),
                Tag("version", facts?.Version ?? "none"),
                Tag("outcome", facts is null ? "failed" : "ok"));
    }

    public void Stored(bool isLmtp, TimeSpan took)
    {
        if (acceptance.Enabled)
            acceptance.Record(took.TotalSeconds, Tag("source", isLmtp ? "lmtp" : "smtp"));
    }

    private static string WordOf(TurnAwayCause cause) => cause switch
    {
        TurnAwayCause.NotAllowed => "network",
        TurnAwayCause.Overload => "load",
        _ => "limit",
    };

    private static string ClassOf(int code) => code switch
    {
        < 300 => "2xx",
        < 400 => "3xx",
        < 500 => "4xx",
        _ => "5xx",
    };

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
