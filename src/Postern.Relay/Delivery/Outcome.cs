using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <summary>How one delivery attempt ended for one recipient. Values, not exceptions: every remote behaviour is one of these.</summary>
/// <param name="Remote">Host and address that answered, or that was tried; null when none could be.</param>
/// <param name="Reply">The remote reply, or our own words when there was none; one line; at most 1 KiB is kept.</param>
/// <param name="Tls">TLSv1.3 and so on; null without TLS.</param>
public abstract record Outcome(string? Remote, string Reply, string? Tls)
{
    public string Reply { get; init => field = RemoteText.Cut(value); } = RemoteText.Cut(Reply);

    /// <summary>The next hop took responsibility.</summary>
    public sealed record Delivered(string? Remote, string Reply, string? Tls) : Outcome(Remote, Reply, Tls)
    {
        /// <summary>The next hop was given the wish for a report and will see to it (RFC 3461 §5.2.1).</summary>
        public bool TakesDsn { get; init; }

        /// <summary>The next hop was given the deadline (RFC 2852).</summary>
        public bool TakesDeliverBy { get; init; }
    }

    /// <summary>Not now; try again by the schedule.</summary>
    public sealed record Deferred(string? Remote, string Reply, string? Tls) : Outcome(Remote, Reply, Tls)
    {
        /// <summary>Whether the attempt goes on.</summary>
        public AfterDeferral After { get; init; } = AfterDeferral.NextHost;

        /// <summary>Nobody was there to speak to: worth a look now and then whether that has changed.</summary>
        public bool IsUnreachable { get; init; }

        /// <summary>This machine ran short of something: no attempt, so it counts for none and gives nothing up.</summary>
        public bool IsOurs { get; init; }

        /// <summary>The attempt ended by a mistake here; enough of them in a row hold the message.</summary>
        public bool IsMistake { get; init; }
    }

    /// <summary>Never; bounce. <paramref name="Status"/> is the enhanced code for the report, such as <c>5.1.1</c>.</summary>
    public sealed record Failed(string? Remote, string Reply, string? Tls, string Status) : Outcome(Remote, Reply, Tls);
}
