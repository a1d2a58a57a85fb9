using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Accounts;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>How deliveries are made. Every limit has a value; none is unlimited.</summary>
public sealed record DeliveryOptions
{
    /// <summary>What this host calls itself in EHLO and in bounces.</summary>
    public required Domain Hostname { get; init; }

    /// <summary>
    /// Without a <c>delivery</c> section: <see cref="RouteTable.Hold"/>. With one: its routes, and for domains that no route names, MX.
    /// </summary>
    public RouteTable Routes { get; init; } = RouteTable.Hold;

    /// <summary>Which addresses stand for others.</summary>
    public AliasTable Aliases { get; init; } = AliasTable.Empty;

    /// <summary>
    /// Makes the senders of mail that aliases and forwards send on to domains of others; null: it goes on with the sender it came with.
    /// </summary>
    public Srs? Srs { get; init; }

    /// <summary>
    /// Domains whose recipients are accepted from anyone, beside those of <see cref="Directory"/>: they are no domains of others.
    /// </summary>
    public FrozenSet<Domain> Domains { get; init; } = [];

    /// <summary>Knows the other domains that are ours; null for none.</summary>
    public IDirectory? Directory { get; init; }

    /// <summary>Counts what deliveries do; null: nobody does.</summary>
    internal DeliveryInstruments? Instruments { get; init; }

    public RetrySchedule Retry { get; init; } = RetrySchedule.Default;

    public SmtpTimeouts Timeouts { get; init; } = SmtpTimeouts.Default;

    /// <summary>Connections to one destination at a time.</summary>
    public int ConnectionsPerDestination { get; init; } = 20;

    /// <summary>Connections in all that deliver, or have just been begun.</summary>
    public int Connections { get; init; } = 500;

    /// <summary>Further connections that were begun and have got nowhere yet: those who do not answer hold up nobody else.</summary>
    public int ConnectionsTried { get; init; } = 1_500;

    /// <summary>What is said about destinations, routes and tenants beyond that.</summary>
    public ShapingTable Shaping { get; init; } = ShapingTable.Shipped;

    /// <summary>Messages that are claimed from the spool and worked on at a time; all others are there alone.</summary>
    public int MessagesAtWork { get; init; } = 20_000;

    /// <summary>Those of them that may wait for one destination; fewer where many destinations have many.</summary>
    public int MessagesAtWorkPerDestination { get; init; } = 1_000;

    /// <summary>Asked in this order for header fields to put before every message that is sent.</summary>
    public ImmutableArray<IContentDecorator> Decorators { get; init; } = [];

    /// <summary>After so many messages a connection is closed and made anew.</summary>
    public int MessagesPerConnection { get; init; } = 1000;

    /// <summary>
    /// A host whose quickest answer takes so long is far: several messages may be on their way at a time
    /// (<see cref="NextHop.SmartHost.InFlight"/>).
    /// </summary>
    public TimeSpan FarFrom { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Hosts that greet and are spoken to in one attempt. Further ones are for the next.</summary>
    public int HostsPerAttempt { get; init; } = 5;

    /// <summary>Addresses that are connected to in one attempt.</summary>
    public int AddressesPerAttempt { get; init; } = 10;

    /// <summary>No further host is asked in an attempt that has lasted so long.</summary>
    public TimeSpan AttemptTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long a host whose TLS handshakes hang is spoken to in clear at once, where clear text would be taken in the end.
    /// </summary>
    public TimeSpan StalledTls { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>When a destination that nobody answers at is looked at again; the pause doubles, up to <see cref="ProbeMost"/>.</summary>
    public TimeSpan ProbeFirst { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest pause between two looks.</summary>
    public TimeSpan ProbeMost { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Addresses of this machine that routes and tenants send from, by name.</summary>
    public FrozenDictionary<string, EgressPool> Pools { get; init; } = FrozenDictionary<string, EgressPool>.Empty;

    /// <summary>Where refresh tokens of logins towards next hops are kept; null: in memory only. Read at the start.</summary>
    public string? TokenDirectory { get; init; }

    /// <summary>How long a command that mail is given to may take (Postfix: command_time_limit).</summary>
    public TimeSpan CommandTime { get; init; } = TimeSpan.FromSeconds(1000);

    /// <summary>More recipients of one destination are sent in several transactions (RFC 5321 §4.5.3.1.8).</summary>
    public int RecipientsPerTransaction { get; init; } = 100;

    /// <summary>How long an open connection waits for another message.</summary>
    public TimeSpan IdleClose { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a message waits behind busy connections before another is opened.</summary>
    public TimeSpan GrowthDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// An attempt that failed here, not there, so many times in a row holds its message, as long as <see cref="RetrySchedule.GiveUp"/>; the
    /// next is its last.
    /// </summary>
    public int InternalErrorsBeforeHold { get; init; } = 5;

    /// <summary>
    /// Attempts in a row that this server could not make, for what it lacks or cannot read (about one a minute), before the postmaster
    /// hears of it; once.
    /// </summary>
    public int ShortagesBeforeWord { get; init; } = 60;

    /// <summary>Hears of what the server holds for errors of its own; null for the postmaster of <see cref="Hostname"/>.</summary>
    public Mailbox? Postmaster { get; init; }

    /// <summary>Words to the postmaster in an hour; each says how many messages are held.</summary>
    public int NoticesToPostmaster { get; init; } = 20;

    /// <summary>How much mail is held for its senders.</summary>
    public HeldLimits Held { get; init; } = new();

    /// <summary>How long an address that bounced for good is kept from mail; null: it is not.</summary>
    public TimeSpan? SuppressFor { get; init; }

    /// <summary>Which category a refusal has.</summary>
    public BounceTable Bounces { get; init; } = BounceTable.Default;

    /// <summary>
    /// Reports to one address in an hour, of failures and of all else, that are sent by themselves. Further ones wait for
    /// <see cref="ReportsGatheredFor"/> at most, and are sent together in one message.
    /// </summary>
    public int ReportsPerAddress { get; init; } = 500;

    /// <summary>How long reports to an address that has many are gathered.</summary>
    public TimeSpan ReportsGatheredFor { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The postmaster hears of reports that cannot be delivered.</summary>
    public bool TellsOfLostReports { get; init; } = true;

    /// <summary>The same for all reports on messages without a login.</summary>
    public int Reports { get; init; } = 2000;

    /// <summary>Resolvers to ask for MX; empty: those of /etc/resolv.conf, read again when it changes.</summary>
    public ImmutableArray<IPEndPoint> Resolvers { get; init; } = [];

    /// <summary>
    /// The <see cref="Resolvers"/> validate DNSSEC, and the way to them is safe: their word that an answer is authentic counts.
    /// </summary>
    public bool ResolversValidate { get; init; }

    /// <summary>Which TLS is used towards mail exchangers.</summary>
    public DeliveryTls Tls { get; init; } = DeliveryTls.Opportunistic;

    /// <summary>
    /// What certificates of mail exchangers are verified against, where they are verified by their issuer; null for the system's trusted
    /// roots. Not to be changed.
    /// </summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>How long one resolver has to answer one question.</summary>
    public TimeSpan ResolverTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Networks that mail may be sent to by MX although they are private, loopback or otherwise not of the public internet.
    /// </summary>
    public ImmutableArray<IPNetwork> AllowedMxNetworks { get; init; } = [];

    /// <summary>Which addresses of a host are connected to, and in which order.</summary>
    public AddressPreference Addresses { get; init; }

    /// <summary>The port of mail exchangers.</summary>
    public int MxPort { get; init; } = 25;

    /// <summary>
    /// Who reports to domains what came of TLS with their exchangers, where they ask for it (RFC 8460); null: nobody does, and nothing is
    /// counted.
    /// </summary>
    public Mailbox? TlsReportsFrom { get; init; }

    /// <summary>The port of servers that MTA-STS policies are fetched from.</summary>
    public int PolicyPort { get; init; } = 443;

    /// <summary>How long such a server has to answer; the first mail to a domain waits for it.</summary>
    public TimeSpan PolicyTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Why no answer from DNS can count as proven here, so that DANE never applies; null where one can.</summary>
    public string? WhyNothingIsProven()
    {
        var list = new ResolverList(Resolvers, ResolversValidate, ResolvConf.Path, TimeProvider.System);
        var (servers, problem) = list.Now();
        return problem is not null || servers.Any(list.Believes) ? null
            : $"DANE needs a resolver that validates DNSSEC, and the word of {string.Join(", ", servers)} does not count: name one on "
                + "this machine as delivery.dns.servers, or write 'validating: true' beside those that validate over a safe way";
    }
}
