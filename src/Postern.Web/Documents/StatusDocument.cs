using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Policy;

namespace Postern.Web.Documents;

/// <summary>One screen about a running server.</summary>
/// <param name="Data">The data directory.</param>
internal sealed record StatusDocument(
    string Version,
    string Hostname,
    DateTimeOffset StartedAt,
    string Data,
    ImmutableArray<StatusDocument.Listener> Listeners)
{
    /// <summary>Open now.</summary>
    public required int Connections { get; init; }

    public required LoadState Load { get; init; }

    public required TotalState SinceStart { get; init; }

    public required QueueState Queue { get; init; }

    public required DeliveryState Deliveries { get; init; }

    /// <summary>Null where no listener speaks TLS.</summary>
    public required CertificateState? Certificate { get; init; }

    /// <summary>Content that is kept of messages whose delivery is over; null where none is.</summary>
    public KeptState? Kept { get; init; }

    /// <summary>Events that could not be written to the log since start.</summary>
    public required long EventsDropped { get; init; }

    /// <summary>What the server runs by.</summary>
    public ConfigurationState? Configuration { get; init; }

    /// <summary>Since start, by reason.</summary>
    public LoginProtectionCounts LoginProtection { get; init; }

    /// <summary>How each store of accounts answers, in the order in which they are asked.</summary>
    public ImmutableArray<StoreCondition> Stores { get; init; } = [];

    /// <summary>What is put up with from printers and scanners.</summary>
    public ImmutableArray<DeviceDocument> Devices { get; init; } = [];

    /// <summary>How the limits of logins, clients and domains stand.</summary>
    public LimitState? Limits { get; init; }

    /// <summary>Rules on trial that would have decided something, since the configuration that has them was loaded.</summary>
    public ImmutableArray<TrialCount> Trials { get; init; } = [];

    /// <summary>How often a password that was right before did not have to be hashed again.</summary>
    public PasswordMemory Passwords { get; init; } = new(0, 0);

    /// <summary>What logins by the -PLUS mechanisms can be bound to, for people; null where no listener speaks TLS.</summary>
    public string? ChannelBinding { get; init; }

    /// <param name="Near">Limits of which the soft share is used.</param>
    /// <param name="Over">Limits of which all is used.</param>
    /// <param name="Lost">Why counts are missing; null while they are whole.</param>
    internal sealed record LimitState(int Near, int Over, string? Lost);

    /// <param name="Asked">Passwords of users that are there.</param>
    internal sealed record PasswordMemory(long Asked, long Remembered);

    /// <param name="Id">A short hash of what it means; it stands in every decision.</param>
    /// <param name="Problems">Why what stands in the files now was not taken; empty where it was.</param>
    internal sealed record ConfigurationState(string Id, string Source, DateTimeOffset AppliedAt, ImmutableArray<string> Problems);

    /// <param name="Address">Bound, with the real port.</param>
    internal sealed record Listener(string Name, string Address, string Tls, string Auth)
    {
        /// <summary><c>dovecot-auth</c>; null for a way in for mail.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Protocol { get; init; }

        /// <summary>Of servers that have logins checked there; null for a way in for mail.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public int? Connections { get; init; }
    }

    /// <param name="State"><c>normal</c>, <c>stressed</c> or <c>full</c>.</param>
    /// <param name="Gauge">What is shortest: <c>connections</c>, <c>memory</c>, <c>logins</c>, <c>disk latency</c> or <c>spool</c>.</param>
    /// <param name="Value">How much of it is taken, 0 to 1.</param>
    /// <param name="TimesStressed">Since start.</param>
    internal sealed record LoadState(string State, string Gauge, double Value, int TimesStressed, int TimesFull);

    /// <param name="Accepted">Messages answered 250.</param>
    /// <param name="Refused">Senders, recipients and messages.</param>
    /// <param name="Delivered">Recipients; also the attempts that were deferred or failed count one recipient each.</param>
    internal sealed record TotalState(
        long Accepted, long Refused, long Logins, long FailedLogins, long Delivered, long Deferred, long Failed, long Unreported = 0);

    /// <param name="Waiting">To be tried later.</param>
    /// <param name="Active">In delivery, or next in line.</param>
    /// <param name="Parked">No route is configured for them.</param>
    /// <param name="HeldByServer">
    /// Those of the held ones whose attempts failed here again and again; the server holds them until an operator looks, or their time
    /// ends.
    /// </param>
    /// <param name="Condition"><c>writable</c>, <c>full</c> or <c>failed</c>.</param>
    /// <param name="Reason">Why it is not writable.</param>
    internal sealed record QueueState(
        int Messages, int Waiting, int Active, int Held, int HeldByServer, int Parked, string Condition, string? Reason)
    {
        /// <summary>What could not be read when the server started, a sentence each; at most <see cref="MostDamage"/>.</summary>
        public ImmutableArray<string> Damage { get; init; } = [];

        /// <summary>All of them.</summary>
        public int DamageCount { get; init; }

        public const int MostDamage = 10;
    }

    /// <param name="Connections">To next hops, open or being opened.</param>
    /// <param name="HeldBecause">Null while deliveries go out.</param>
    internal sealed record DeliveryState(int Connections, string? HeldBecause)
    {
        public const int MostWaits = 10;

        public ImmutableArray<Route> Routes { get; init; } = [];

        /// <summary>Destinations to which no further connection is opened now, those with the most messages first; at most ten.</summary>
        public ImmutableArray<WaitingDestination> Waits { get; init; } = [];
    }

    /// <param name="Transactions">That wait for a connection.</param>
    /// <param name="Why">It may hold what a host said.</param>
    internal sealed record WaitingDestination(string Name, int Transactions, string Why);

    /// <param name="Via">Where to, and whether the route logs in there.</param>
    internal sealed record Route(string To, string Via);

    /// <param name="Octets">Of their files.</param>
    internal sealed record KeptState(int Messages, long Octets, long Most);

    internal sealed record CertificateState(string Subject, DateTimeOffset Expires, bool IsSelfSigned);
}
