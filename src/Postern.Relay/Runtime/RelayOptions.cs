using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Accounting;
using Postern.Relay.Audit.Onward;
using Postern.Relay.Delivery;
using Postern.Relay.Dkim;
using Postern.Relay.Dkim.Arc;
using Postern.Relay.DovecotAuth;
using Postern.Relay.Policy;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>Everything a relay is made of, already validated. Immutable.</summary>
public sealed record RelayOptions
{
    /// <summary>
    /// A short hash of what all of this means, which stands in every decision and in the log of each change; null where nobody made one.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>A domain or an address literal.</summary>
    public required string Hostname { get; init; }

    /// <summary>Holds the directory's database, the spool and the logs; exists.</summary>
    public required string DataDirectory { get; init; }

    public required IReadOnlyList<SmtpListenerOptions> Listeners { get; init; }

    /// <summary>Where other servers have logins checked.</summary>
    public IReadOnlyList<AuthListenerOptions> AuthListeners { get; init; } = [];

    public TlsOptions? Tls { get; init; }

    public SessionLimits Limits { get; init; } = new();

    public int MaxConnections { get; init; } = 20_000;

    public int MaxConnectionsPerAddress { get; init; } = 50;

    /// <summary>Octets that the process should stay below; null for what the runtime may have.</summary>
    public long? MaxMemory { get; init; }

    public AccountOptions Accounts { get; init; } = new();

    public PolicyOptions Policy { get; init; } = new();

    /// <summary>Who of this machine's own users may send what, by <see cref="RelayService.Local"/>.</summary>
    public LocalRules Local { get; init; } = new();

    /// <summary>
    /// A login whose message names an author or a sender that is not its own is named in it. False: From and Sender stay as they come.
    /// </summary>
    public bool TracesSenders { get; init; } = true;

    public required DeliveryOptions Delivery { get; init; }

    /// <summary>Whose content is kept when the delivery is over; of accounts, the directory knows it too.</summary>
    public KeepRules Keep { get; init; } = KeepRules.None;

    /// <summary>How mail is signed; the keys are in the directory.</summary>
    public DkimOptions Dkim { get; init; } = new();

    /// <summary>How mail that is forwarded is sealed, by the same keys.</summary>
    public ArcOptions Arc { get; init; } = new();

    /// <summary>
    /// How long a stop waits for the answers of next hops that have a whole message; without them it would be sent once more.
    /// </summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Domains whose waiting mail may be started by ETRN. Empty: it is not offered.</summary>
    public FrozenSet<Domain> EtrnDomains { get; init; } = [];

    /// <summary>Null: the default sizes under <see cref="DataDirectory"/>.</summary>
    public SpoolOptions? Spool { get; init; }

    /// <summary>Null: <c>logs</c> under <see cref="DataDirectory"/>.</summary>
    public string? LogDirectory { get; init; }

    /// <summary>Days of logs kept besides today.</summary>
    public int LogDays { get; init; } = 90;

    /// <summary>Octets of all logs together.</summary>
    public long LogOctets { get; init; } = 10_000_000_000;

    /// <summary>The log has the subjects of accepted messages.</summary>
    public bool LogSubjects { get; init; }

    /// <summary>A syslog server that is sent every line of the log; null for none.</summary>
    public SyslogTarget? LogSyslog { get; init; }

    /// <summary>The journal of this machine, which is sent every line of the log; null for none.</summary>
    public JournalTarget? LogJournal { get; init; }

    /// <summary>The accounting log beside the others; null for none.</summary>
    public AcctLogOptions? LogAccounting { get; init; }

    /// <summary>A copy of every log line, such as standard output.</summary>
    public Stream? LogCopy { get; init; }

    internal SpoolOptions SpoolOrLocal => Spool ?? SpoolOptions.Local(SpoolDirectory(DataDirectory));

    internal AuditLogOptions ToAuditLog() => new()
    {
        Directory = LogDirectory ?? DefaultLogDirectory(DataDirectory),
        KeepDays = LogDays,
        MostOctets = LogOctets,
        WithSubjects = LogSubjects,
        AcctLog = LogAccounting,
        Syslog = LogSyslog,
        Journal = LogJournal,
        SpoolReserve = total => SpoolOrLocal.ReserveOf(total),
        Exempt = Accounts.Protection.Exempt,
        Copy = LogCopy,
    };

    /// <summary>The directory's database file.</summary>
    public static string DirectoryFile(string dataDirectory) => Path.Combine(dataDirectory, "directory.db");

    public static string SpoolDirectory(string dataDirectory) => Path.Combine(dataDirectory, "spool");

    /// <summary>The content that is kept of messages whose delivery is over.</summary>
    public static string KeptDirectory(string dataDirectory) => Path.Combine(dataDirectory, "kept");

    /// <summary>Refresh tokens of logins towards next hops.</summary>
    public static string TokenDirectory(string dataDirectory) => Path.Combine(dataDirectory, "oauth");

    /// <summary>What the rules have counted.</summary>
    public static string CountersFile(string dataDirectory) => Path.Combine(dataDirectory, "counters");

    /// <summary>What was used of <c>limits</c>; what is raised of them stands beside it.</summary>
    public static string LimitsFile(string dataDirectory) => Path.Combine(dataDirectory, "limits");

    /// <summary>What is counted of TLS with other domains, a file for each day whose reports are not sent yet.</summary>
    public static string TlsReportsDirectory(string dataDirectory) => Path.Combine(dataDirectory, "tls-reports");

    /// <summary>The MTA-STS policies of other domains.</summary>
    public static string MtaStsDirectory(string dataDirectory) => Path.Combine(dataDirectory, "mta-sts");

    /// <summary>What the login protection remembers.</summary>
    public static string LoginProtectionFile(string dataDirectory) => Path.Combine(dataDirectory, "login-protection");

    /// <summary>What was lately sent where, and taken from whom, so that mail that comes round is known again.</summary>
    public static (string Sent, string Taken) TraceFiles(string dataDirectory) =>
        (Path.Combine(dataDirectory, "sent"), Path.Combine(dataDirectory, "taken"));

    /// <summary>What operators have suspended.</summary>
    public static string SuspensionsFile(string dataDirectory) => Path.Combine(dataDirectory, "suspended");

    public static string DefaultLogDirectory(string dataDirectory) => Path.Combine(dataDirectory, "logs");
}

/// <summary>
/// The rules for messages of this machine's own users, each of whom counts as logged in under the name that the system knows it by. The
/// defaults let every one of them send to anybody, as any sender.
/// </summary>
public sealed record LocalRules
{
    /// <summary>Asked for the sender, in the place of <see cref="PolicyOptions.SenderRules"/>.</summary>
    public ImmutableArray<RuleEntry> Sender { get; init; } = [];

    /// <summary>
    /// Asked for each recipient, in the place of <see cref="PolicyOptions.RecipientRules"/>. The end of the list refuses.
    /// </summary>
    public ImmutableArray<RuleEntry> Recipient { get; init; } = ["permit_system_user"];

    /// <summary>Those of the whole server, with these in their place; what is asked of clients by network means nothing here.</summary>
    internal PolicyOptions In(PolicyOptions options) =>
        options with { ClientRules = [], HeloRules = [], SenderRules = Sender, RecipientRules = Recipient };
}
