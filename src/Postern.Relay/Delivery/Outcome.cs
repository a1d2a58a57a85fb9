using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <summary>How one delivery attempt ended for one recipient. Values, not exceptions: every remote behaviour is one of these.</summary>
/// <param name="Remote">Host and address that answered, or that was tried; null when none could be.</param>
/// <param name="Reply">
/// The remote reply, or our own words when there was none; one line; at most 1 KiB is kept. For people: nothing is decided by it.
/// </param>
/// <param name="Tls">TLSv1.3 and so on; null without TLS.</param>
/// <param name="Status">The enhanced code, such as <c>5.1.1</c>; null where none was given.</param>
public abstract record Outcome(string? Remote, string Reply, string? Tls, string? Status = null)
{
    /// <summary>What <see cref="Remote"/> of a socket of this machine begins with; its path follows.</summary>
    internal const string Socket = "unix:";

    public string Reply { get; init => field = RemoteText.Cut(value); } = RemoteText.Cut(Reply);

    /// <summary>
    /// What the sender is told in the place of <see cref="Reply"/>, where that tells of this machine; null for the reply itself.
    /// </summary>
    public string? Told { get; init; }

    /// <summary>Why.</summary>
    public DeliveryCause Cause { get; init; }

    /// <summary>How far it came; null where it was not tried.</summary>
    public DeliveryPhase? Phase { get; init; }

    /// <summary>Of the remote reply; null when there was none.</summary>
    public int? Code { get; init; }

    /// <summary><see cref="Reply"/> is what the next hop said, word for word.</summary>
    public bool IsVerbatim { get; init; }

    /// <summary>Over TLS, by a certificate that proved the server's name.</summary>
    public bool IsVerified { get; init; }

    /// <summary>What TLS with the host came to, and what it was held to; null where it came to no host.</summary>
    public TlsNote? Security { get; init; }

    /// <summary>How long the attempt had lasted by then; null where it was not tried.</summary>
    public TimeSpan? Took { get; init; }

    /// <summary>
    /// What the sender is told: nothing of where things are on this machine, nor of what goes wrong inside this server. The queue and the
    /// log have that, for those who run it.
    /// </summary>
    internal string ForSender => Told ?? Cause switch
    {
        DeliveryCause.Mistake => "an error of this server; its postmaster knows of it",
        DeliveryCause.OwnSurroundings => "trouble of this server with the machine that it runs on; its log says which",
        DeliveryCause.LoginFailed when Code is null => "this server could not log in at the next one; its log says why",
        _ => Reply,
    };

    /// <summary>Whom the sender is told of; null for a socket of this machine.</summary>
    internal string? RemoteForSender => Remote?.StartsWith(Socket, StringComparison.Ordinal) == true ? null : Remote;

    /// <summary>What is known of the answer beside its words.</summary>
    internal AnswerFacts Facts => new(Code, Status, BounceTable.TroubleOf(Cause), IsVerbatim);

    /// <summary>What the queue keeps of it for the recipient.</summary>
    /// <param name="attempt">The one that ended so.</param>
    internal RecipientState ToState(int attempt) => new(
        this switch
        {
            Delivered => RecipientStatus.Delivered,
            Failed => RecipientStatus.Failed,
            _ => RecipientStatus.Pending,
        },
        Reply)
    {
        Attempt = this is Deferred ? 0 : attempt,
        Answer = Facts,
    };

    /// <summary>The next hop took responsibility.</summary>
    public sealed record Delivered(string? Remote, string Reply, string? Tls, string? Status = null) : Outcome(Remote, Reply, Tls, Status)
    {
        /// <summary>It is where it was sent to, and no server is behind it that could report.</summary>
        public bool IsFinal { get; init; }

        /// <summary>The next hop was given the wish for a report and will see to it (RFC 3461 §5.2.1).</summary>
        public bool TakesDsn { get; init; }

        /// <summary>The next hop was given the deadline (RFC 2852).</summary>
        public bool TakesDeliverBy { get; init; }
    }

    /// <summary>Not now; try again by the schedule.</summary>
    public sealed record Deferred(string? Remote, string Reply, string? Tls, string? Status = null) : Outcome(Remote, Reply, Tls, Status)
    {
        /// <summary>Whether the attempt goes on.</summary>
        public AfterDeferral After { get; init; } = AfterDeferral.NextHost;

        /// <summary>Nobody was there to speak to: worth a look now and then whether that has changed.</summary>
        public bool IsUnreachable { get; init; }

        /// <summary>The host took others in the same transaction, and this was one too many.</summary>
        public bool IsOneTooMany { get; init; }

        /// <summary>
        /// The host cannot have such a message, whenever it is asked: the status of the failure that this is where no other host can have
        /// it either (RFC 8689 §4.2.1). Null for all else.
        /// </summary>
        public string? FailsWith { get; init; }

        /// <summary>The host means by it that it is too much, whatever it means elsewhere.</summary>
        public bool IsTooMuch { get; init; }

        /// <summary>It was not tried by itself: what came before it for the same destination ended so.</summary>
        public bool IsSuspended { get; init; }

        /// <summary>The same for what waits behind, and is not tried by itself.</summary>
        public Deferred ForOthers() =>
            IsSuspended
                ? this
                : this with { Reply = $"delivery suspended: {Reply}", IsSuspended = true, IsVerbatim = false, Took = null };

        /// <summary>What the answer says about when to come again. By its code and status, never by its text.</summary>
        public RetryPace Pace => Cause != DeliveryCause.Refused || IsTooMuch ? RetryPace.Usual : (Code, Status) switch
        {
            (450 or 451, "4.7.1" or "4.2.0") => RetryPace.Soon,
            (_, "4.2.2") => RetryPace.Late,
            _ => RetryPace.Usual,
        };

        /// <summary>This machine ran short of something: no attempt, so it counts for none and gives nothing up.</summary>
        public bool IsOurs => Cause == DeliveryCause.OwnShortage;

        /// <summary>The attempt ended by a mistake here; enough of them in a row hold the message.</summary>
        public bool IsMistake => Cause == DeliveryCause.Mistake;
    }

    /// <summary>Never; bounce. <paramref name="Status"/> goes into the report.</summary>
    public sealed record Failed(string? Remote, string Reply, string? Tls, string Status) : Outcome(Remote, Reply, Tls, Status)
    {
        /// <summary>What no host can have.</summary>
        internal static Failed Of(Deferred last) => new(last.Remote, last.Reply, last.Tls, last.FailsWith ?? "5.0.0")
        {
            Cause = last.Cause,
            Phase = last.Phase,
            IsVerified = last.IsVerified,
            Security = last.Security,
            Took = last.Took,
            Told = last.Told,
        };
    }
}

/// <summary>
/// What may still be done in the same attempt for a recipient that was deferred. Whoever is delivered or refused for good is decided, and
/// no further host is asked about it.
/// </summary>
public enum AfterDeferral
{
    /// <summary>This host did not take it: the next host or address of the same next hop may be asked (RFC 5321 §5.1).</summary>
    NextHost,

    /// <summary>Too many recipients for one transaction: another one, over the same connection (RFC 5321 §4.5.3.1.10).</summary>
    NewTransaction,

    /// <summary>The connection takes no more, which says nothing of the host.</summary>
    NewConnection,

    /// <summary>Nothing: it waits for its time. The host may have it already, or any other would say the same.</summary>
    NextAttempt,
}
