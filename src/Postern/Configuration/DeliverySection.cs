using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Forwarding;
using Postern.Configuration.Reading;
using Postern.Configuration.Shaping;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;
using Postern.Smtp.Grammar;

namespace Postern.Configuration;

/// <summary><c>delivery</c>: where accepted messages go, and how often that is tried.</summary>
internal sealed record DeliverySection(
    ImmutableArray<RouteOptions> Routes, RetryOptions Retry, ImmutableArray<Domain> Etrn, DnsOptions Dns, MxOptions Mx)
{
    public required OutboundTlsSection Tls { get; init; }

    public ReportsOptions Reports { get; init; } = null!;

    public SuppressionOptions Suppression { get; init; } = null!;

    public ImmutableArray<BounceRow> Bounces { get; init; } = [];

    public AddressPreference Addresses { get; init; }

    /// <summary>Files of addresses that stand for others, each with its key.</summary>
    public ImmutableArray<AliasOptions> Aliases { get; init; } = [];

    public ImmutableArray<AliasOptions> Forwards { get; init; } = [];

    /// <summary>Null where senders of forwarded mail stay.</summary>
    public SrsSection? Srs { get; init; }

    public required ArcSection Arc { get; init; }

    public required ConnectionsOptions Connections { get; init; }

    public ShapingFile Shaping { get; private init; } = ShapingFile.None;

    public static DeliverySection Read(Section section)
    {
        var options = new DeliverySection(
            section.Children(
                "routes",
                RouteOptions.Read,
                [],
                "Next hops. The recipient's domain decides first: routes to the exact domain, else those to the longest `.suffix`, "
                    + "else those to `*`. Among routes to the same, the first in this list whose conditions (`from`, `login_is`, "
                    + "`listener`, `tenant`) all hold is taken; where none of them is, the less specific ones are asked. "
                    + "A recipient that no route is for goes to the mail exchangers of its domain. "
                    + "Without any route every message is held."),
            section.Child("retry", RetryOptions.Read, "When a delivery that failed for now is tried again."),
            section.List(
                "etrn",
                Kinds.DomainName,
                [],
                "none",
                "Domains whose waiting mail a client may start by ETRN, each at most once a minute. Any client that may connect can ask."),
            section.Child("dns", DnsOptions.Read, "Whom the mail exchangers of a domain are asked of."),
            section.Child("mx", MxOptions.Read, "Delivery to mail exchangers."))
        {
            Aliases = section.Children(
                "aliases",
                AliasOptions.ReadAliases,
                [],
                "Files of names that stand for others, such as `/etc/aliases` ([aliases](aliases.md)). "
                    + "An entry is a section, or the path alone.",
                AliasOptions.Shorthand),
            Forwards = section.Children(
                "forwards",
                AliasOptions.ReadForwards,
                [],
                "Files of addresses that stand for others, as Postfix's virtual(5) ([aliases](aliases.md)). "
                    + "An entry is a section, or the path alone.",
                AliasOptions.Shorthand),
            Arc = section.Child("arc", ArcSection.Read, "How forwarded mail is sealed ([ARC](arc.md), RFC 8617)."),
            Srs = section.OptionalChild(
                "srs",
                SrsSection.Read,
                "The sender rewriting scheme, for mail that aliases and forwards send on to domains of others "
                    + "([aliases](aliases.md#forwarded-mail-and-spf)). Left out: its sender stays."),
            Addresses = section.Value(
                "address_preference",
                Kinds.Word(
                    ("usual", AddressPreference.Usual),
                    ("ipv4", AddressPreference.Ipv4First),
                    ("ipv6", AddressPreference.Ipv6First),
                    ("ipv4_only", AddressPreference.Ipv4Only),
                    ("ipv6_only", AddressPreference.Ipv6Only)),
                AddressPreference.Usual,
                "`usual`",
                "Which addresses of a host are connected to, and which first. `usual`: IPv4 first at mail exchangers, "
                    + "and as the system orders them at servers that a route names."),
            Connections = section.Child("connections", ConnectionsOptions.Read, "How many connections there are to next hops."),
            Tls = section.Child(
                "tls",
                OutboundTlsSection.Read,
                "TLS towards mail exchangers ([what each level means](tls-outward.md)). Servers that a route names have what the route "
                    + "says."),
            Reports = section.Child("reports", ReportsOptions.Read, "What senders and the postmaster are told, and how often."),
            Suppression = section.Child("suppression", SuppressionOptions.Read, "Addresses that bounce for good."),
            Bounces = section.Children(
                "bounces",
                BounceRowOptions.Read,
                [],
                "What refusals are called, asked before [the table that ships](bounces.md), in this order; the first that fits counts. "
                    + "Only for the log, the queue and counts: when a message is tried again is not decided by it."),
        };

        if (section.ReadFile(
            "shaping",
            "none",
            "A YAML file of limits and rates by destination, route and tenant ([shaping](shaping.md)), over those that ship with the "
                + "program for large receivers. Read again when it changes.") is { } shaping)
        {
            string[] routes = [.. options.Routes.Where(static r => r.Route.To is not null).Select(static r => r.Route.Name)];
            options = options with
            {
                Shaping = section.ReadOther("shaping", shaping, other => ShapingFile.Read(other, routes)) ?? ShapingFile.None,
            };
        }

        // Each route was read by itself before: what is wrong now is that one is never asked, as another before it takes all.
        var each = options.Routes.Where(static r => r.Route.To is not null && RouteTable.Parse([r.Route]) is RouteParse.Ok).ToList();
        if (RouteTable.Parse([.. each.Select(static r => r.Route)]) is RouteParse.Wrong(var index, _, var message))
            section.Report("routes", options.Routes.LastIndexOf(each[index]), message);
        return options;
    }
}

/// <summary><c>delivery.connections</c>.</summary>
/// <param name="PerHost">To one host, and to one address.</param>
/// <param name="All">That deliver, or have just been begun.</param>
/// <param name="Tried">Further ones, that have been begun and got nowhere yet.</param>
internal sealed record ConnectionsOptions(int PerHost, int All, int Tried)
{
    public static ConnectionsOptions Read(Section section)
    {
        var options = new ConnectionsOptions(
            section.Value(
                "per_host",
                Kinds.Count,
                20,
                "20",
                "Connections to one host, and to one address, at a time, whatever number of domains it serves. `connections` of the "
                    + "shaping file says another number for some."),
            section.Value("all", Kinds.Count, 500, "500", "Connections in all that deliver, or have just been begun."),
            section.Value(
                "tried",
                Kinds.Count,
                1500,
                "1500",
                "Further connections that have got nowhere for half a second: who does not answer holds up nobody else."));
        if (options.PerHost > options.All)
            section.Report(section.Has("per_host") ? "per_host" : "all", "one host would have more connections than there are in all");
        return options;
    }
}

/// <summary>
/// <c>delivery.retry</c>: waits grow from <paramref name="First"/> by <paramref name="Factor"/> up to <paramref name="Most"/>; after
/// <paramref name="GiveUp"/> the sender gets a bounce, and a word once after <paramref name="Warn"/>. Some answers ask for another wait.
/// </summary>
internal sealed record RetryOptions(
    TimeSpan First,
    double Factor,
    TimeSpan Most,
    TimeSpan GiveUp,
    TimeSpan Warn,
    TimeSpan Greylisted,
    TimeSpan MailboxFull,
    BounceOptions Bounces)
{
    public static RetryOptions Read(Section section)
    {
        var options = new RetryOptions(
            section.Value("first", Kinds.Duration, TimeSpan.FromMinutes(1), "1m", "The wait after the first failed attempt."),
            section.Value("factor", Kinds.Factor, 2, "2", "Each later wait is this many times the one before."),
            section.Value("most", Kinds.Duration, TimeSpan.FromHours(4), "4h", "The longest wait."),
            section.Value(
                "give_up",
                Kinds.Duration,
                TimeSpan.FromDays(5),
                "5d",
                "How long after arrival a message is bounced. RFC 5321 asks for 4 to 5 days. "
                    + "What the server holds for errors of its own is tried a last time so long after the hold began."),
            section.Value(
                "warn",
                Kinds.Duration,
                TimeSpan.FromHours(4),
                "4h",
                "How long after arrival the sender is told, once, that a message still waits. A sender can forbid it with NOTIFY. "
                    + "Set it as long as `give_up` for no such report."),
            section.Value(
                "greylisted",
                Kinds.Duration,
                TimeSpan.FromMinutes(5),
                "5m",
                "The longest wait, in the first hour, after an answer that asks to come again soon: 450 or 451 with 4.7.1 or 4.2.0."),
            section.Value(
                "mailbox_full",
                Kinds.Duration,
                TimeSpan.FromHours(1),
                "1h",
                "The shortest wait after an answer that the mailbox is full (4.2.2); at most `most` counts."),
            section.Child("bounces", BounceOptions.Read, "Reports, and all other mail with the null reverse-path."));

        if (options.Most < options.First)
            section.Report(section.Has("most") ? "most" : "first", "the longest wait is shorter than the first");
        if (options.GiveUp < options.First)
            section.Report(section.Has("give_up") ? "give_up" : "first", "a message would be given up before the second attempt");
        if (options.MailboxFull > options.Most && section.Has("mailbox_full"))
            section.Report("mailbox_full", "longer than the longest wait", "at most what 'most' says");
        if (options.Bounces.GiveUp > options.GiveUp && section.Has("bounces"))
            section.Report("bounces", "a bounce would be tried for longer than the message it tells of", "a shorter 'give_up' in it");
        return options;
    }
}

/// <summary><c>delivery.retry.bounces</c>.</summary>
internal sealed record BounceOptions(TimeSpan GiveUp)
{
    public static BounceOptions Read(Section section) => new(
        section.Value(
            "give_up",
            Kinds.Duration,
            TimeSpan.FromDays(2),
            "2d",
            "How long after its making a bounce is given up; nobody hears of that. At most `delivery.retry.give_up` counts."));
}

/// <summary><c>delivery.dns</c>: whom the exchangers of a domain are asked of.</summary>
/// <param name="Servers">Empty: those of resolv.conf.</param>
internal sealed record DnsOptions(ImmutableArray<IPEndPoint> Servers, bool Validating)
{
    public static DnsOptions Read(Section section)
    {
        var options = new DnsOptions(
            section.List(
                "servers",
                Kinds.DnsServer,
                [],
                "those of `/etc/resolv.conf`",
                "Recursive resolvers, asked in this order; port 53 unless one is written. Left out: those of `/etc/resolv.conf`, "
                    + "which is read again when it changes."),
            section.Value(
                "validating",
                Kinds.Word(("true", true), ("false", false)),
                fallback: false,
                "false",
                "`true`: these servers validate DNSSEC and nobody stands in between, so their word that an answer is authentic counts. "
                    + "Servers on loopback are believed without it. DANE rests on it."));
        if (options.Validating && options.Servers.IsEmpty)
            section.Report("validating", "whose word counts is not said", "'servers' beside it; one on loopback is believed anyway");
        return options;
    }
}

/// <summary><c>delivery.mx</c>: delivery to the mail exchangers of a domain.</summary>
internal sealed record MxOptions(ImmutableArray<IPNetwork> AllowNetworks)
{
    public static MxOptions Read(Section section) => new(
        section.List(
            "allow_networks",
            Kinds.Network,
            [],
            "none",
            "Networks that exchangers may be in although they are private, loopback or otherwise not of the public internet. "
                + "Whoever publishes DNS names exchangers: write the networks of your own exchangers only."));
}
