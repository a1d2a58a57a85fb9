using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>What is not as it should be, as far as the status of the server and its queue tell. The worst comes first.</summary>
internal static class OpenProblems
{
    /// <summary>A certificate that ends sooner is a problem; in a third of it, a bad one.</summary>
    private static readonly TimeSpan CertificateWarns = TimeSpan.FromDays(21);

    /// <summary>Mail that waits longer is.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(4);

    /// <param name="queue">Null where it cannot be known.</param>
    public static ImmutableArray<OpenProblem> Of(StatusDocument status, QueueStatistics? queue, DateTimeOffset now) =>
    [
        .. Each(status, queue, now).OrderBy(static problem => problem.State.Tone == Tone.Bad ? 0 : 1),
    ];

    private static IEnumerable<OpenProblem> Each(StatusDocument status, QueueStatistics? queue, DateTimeOffset now)
    {
        if (status.Queue.Condition != "writable")
            yield return Bad(
                $"the queue takes no mail ({status.Queue.Condition}): {status.Queue.Reason}",
                "Clients get 452 and try again later. Make room on the disk, or mend it: postern status",
                "/queue");
        if (status.Queue.DamageCount > 0)
            yield return Bad(
                $"{Figures.Count(status.Queue.DamageCount, "place")} of the spool is unreadable: {status.Queue.Damage.FirstOrDefault()}",
                "Look at each: postern status; then postern spool check",
                "/queue");
        if (status.Deliveries.HeldBecause is { } held)
            yield return Bad($"no delivery is made: {held}", "Nothing is lost; it waits. postern status tells more.", "/queue");
        foreach (var store in status.Stores)
        {
            if (store.DownSince is { } since || store.Failure is { } && store.AnswersFromMemory)
                yield return Bad(
                    $"store {store.Store} does not answer: logins that need it get {store.InOutage ?? "454"}",
                    $"{store.Failure ?? "It gives no answer"}. Start it, or look at the network between.",
                    "/logins?outcome=unavailable") with
                {
                    Since = store.DownSince ?? store.FailedAt,
                };
        }

        if (status.Load.State == "full")
            yield return Bad(
                $"the server is full: {status.Load.Gauge}, {Figures.Percent(status.Load.Value)}",
                "New clients get 421. Raise limits, or find who fills it.",
                "/");
        else if (status.Load.State == "stressed")
            yield return Warn(
                $"the server is near its limit: {status.Load.Gauge}, {Figures.Percent(status.Load.Value)}",
                "It still takes mail; strangers wait.",
                "/");
        if (status.Certificate is { } certificate && certificate.Expires - now < CertificateWarns)
        {
            var ended = certificate.Expires <= now;
            yield return new OpenProblem(
                certificate.Expires - now < CertificateWarns / 3 ? new("critical", Tone.Bad) : new("warning", Tone.Warn),
                $"the certificate of {certificate.Subject} {(ended ? "ended" : "ends")} {TimeWords.Relative(certificate.Expires, now)}",
                "Renew it: replaced files count at once, without a restart.",
                "/");
        }

        if (status.Configuration is { Problems.IsEmpty: false } configuration)
            yield return Warn(
                $"the configuration in the file is not taken: {configuration.Problems[0]}",
                "The server goes on by the one before. See all of it: postern check",
                "/settings?tab=configuration");
        if (status.EventsDropped > 0)
            yield return Warn(
                $"{Figures.Count(status.EventsDropped, "event")} could not be written to the log",
                "Look at the disk of the log: postern status",
                "/");
        if (status.Queue.Parked > 0)
            yield return Warn(
                $"{Figures.Count(status.Queue.Parked, "message")} {(status.Queue.Parked == 1 ? "waits" : "wait")} for want of a route",
                "Set delivery.routes, then postern reload",
                "/queue");
        if (status.Queue.HeldByServer > 0)
            yield return Warn(
                $"{Figures.Count(status.Queue.HeldByServer, "message")} held by the server: attempts failed here again and again",
                "Read the last replies, mend what is wrong here, then release them.",
                "/queue?outcome=held");
        if (status.Limits?.Lost is { } lost)
            yield return Warn($"what was counted for limits is not whole: {lost}", "Limits may let through too much for a while.", "/");
        foreach (var one in (queue?.Destinations ?? []).Where(one => one.Deferred > 0 && now - one.Oldest > LongestWait).Take(5))
            yield return Warn(
                $"mail to {one.Domain} waits: {Figures.Count(one.Recipients, "recipient")}, up to {TimeWords.Span(now - one.Oldest)}",
                one.LastReply ?? "Look at the last reply there.",
                PageUrl.Of("/queue", ("to", one.Domain)));
    }

    private static OpenProblem Bad(string what, string todo, string url) => new(new("critical", Tone.Bad), what, todo, url);

    private static OpenProblem Warn(string what, string todo, string url) => new(new("warning", Tone.Warn), what, todo, url);
}
