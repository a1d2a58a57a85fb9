using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Policy.Tenants;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Upstream;

/// <summary>One pool: addresses of this machine that mail leaves from.</summary>
internal sealed record PoolOptions(ImmutableArray<EgressSource> Sources)
{
    private static readonly Kind<DateOnly> Day = new("day", "a day such as 2026-12-01", TryDay, []);

    private static readonly Kind<int> PerDay = new("count", "a count of messages from 1 to 100000", TryPerDay, []);

    public static PoolOptions Read(Section section)
    {
        var options = new PoolOptions(section.Children("sources", ReadSource, [], "The addresses, at least one."));
        if (!section.Has("sources") && !section.IsDescribing)
            section.ReportMissing("sources", "at least one: { address, hostname }");
        else if (section.HasEmptyList("sources"))
            section.Report("sources", "the list is empty", "at least one: { address, hostname }");
        foreach (var (source, i) in options.Sources.Select(static (source, i) => (source, i)))
        {
            if (source.Address is not null && options.Sources.Take(i).Any(s => source.Address.Equals(s.Address)))
                section.Report("sources", i, $"{source.Address} stands here twice");
        }

        return options;
    }

    /// <summary>The first source that is no address of this machine, as far as that can be seen; null where all are.</summary>
    public IPAddress? Foreign
    {
        get
        {
            try
            {
                var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(static i => i.GetIPProperties().UnicastAddresses)
                    .Select(static a => a.Address).ToHashSet();
                return Sources.Select(static s => s.Address).FirstOrDefault(a => !IPAddress.IsLoopback(a) && !own.Contains(a));
            }
            catch (Exception e) when (e is NetworkInformationException or IOException or PlatformNotSupportedException)
            {
                return null;
            }
        }
    }

    public EgressPool ToPool(string name) => new(name, Sources);

    private static EgressSource ReadSource(Section section) => new(
        section.Required("address", Kinds.IpAddress, "An address of this machine."),
        section.Value<Domain?>(
            "hostname",
            Kinds.DomainName!,
            fallback: null,
            "`server.hostname`",
            "What this server calls itself there, in EHLO: the name in the PTR record."))
    {
        Connections = section.Value("connections", Kinds.Count, 0, "no limit of its own", "Connections at a time."),
        Messages = section.Value<RateLimit?>(
            "messages",
            new Kind<RateLimit?>("count/time", Kinds.Budget.Expected, TryBudget, []),
            fallback: null,
            "no limit",
            "Messages in a time, such as 20000/1d. What is used flows back evenly."),
        WarmUp = section.OptionalChild(
            "warm_up",
            ReadWarmUp,
            "A plan for an address that receivers do not know yet. While it lasts, it holds in the place of `messages`."),
    };

    private static WarmUp ReadWarmUp(Section section)
    {
        var plan = new WarmUp(
            section.Required("since", Day, "The first day, in UTC. Before it nothing is sent."),
            section.RequiredList("messages", PerDay, "The messages of each day, from the first on."));
        return plan;
    }

    private static bool TryDay(string text, out DateOnly day) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day);

    private static bool TryPerDay(string text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is >= 1 and <= 100_000;

    private static bool TryBudget(string text, out RateLimit? limit)
    {
        limit = RateLimit.TryParse(text, out var read) ? read : null;
        return limit is not null;
    }
}

/// <summary>What is said of one tenant.</summary>
/// <param name="Pool">Null for none.</param>
internal sealed record TenantOptions(string? Pool)
{
    /// <summary>Held for all of its accounts together; null for no limit of its own.</summary>
    public HeldLimit? Held { get; init; }

    /// <summary>Whose mail is the tenant's, without its name.</summary>
    public TenantTerms Terms { get; init; } = new(string.Empty);

    public static TenantOptions Read(Section section)
    {
        var options = new TenantOptions(section.Value<string?>(
            "pool",
            Kinds.Text!,
            fallback: null,
            "none",
            "The name of a pool whose addresses mail of this tenant's accounts leaves from, "
                + "where its route has no `pool`, `bind` or `hello`."));
        var (messages, size) = (
            section.Value(
                "held_messages",
                Kinds.Count,
                int.MaxValue,
                "no limit of its own",
                "Messages that are held for all accounts of this tenant together, beside `limits.held_messages` of each; "
                    + "one more is answered 552 5.7.17."),
            section.Value("held_size", Kinds.Size, long.MaxValue, "no limit of its own", "The same in octets of content."));
        return (messages == int.MaxValue && size == long.MaxValue ? options : options with { Held = new HeldLimit(messages, size) }) with
        {
            Terms = ReadTerms(section),
        };
    }

    private static TenantTerms ReadTerms(Section section)
    {
        var terms = new TenantTerms(string.Empty)
        {
            Header = section.Value<string?>(
                "header",
                Kinds.FieldName!,
                fallback: null,
                "none",
                "A header field in which a client names this tenant, such as `X-Tenant`; only who is in `require_login` may, anybody else "
                    + "is answered 550. It leaves every message, in whatever case and however often it stands there."),
            Logins = section.List(
                "require_login", Kinds.Text, [], "none", "The accounts, by their names, that may name this tenant in `header`."),
            Listeners = section.List(
                "listeners",
                Kinds.Text,
                [],
                "none",
                "Listeners, by name: who comes in there is this tenant's, unless its account belongs to another."),
            Networks = section.List("networks", Kinds.Network, [], "none", "The same by the client's network, behind `listeners`."),
            Domains = section.List(
                "domains",
                Kinds.DomainName,
                [],
                "any",
                "The domains that senders of this tenant have; another is answered 550. A login without a tenant that sends as one of them "
                    + "is this tenant's."),
            Fields = section.List(
                "add_headers", Kinds.HeaderField, [], "none", "Header fields that messages of this tenant are given: `X-Origin: acme`."),
        };
        if (terms.Header is not null && terms.Logins.IsEmpty)
            section.Report("header", "anybody could name this tenant", "'require_login' beside it, with the accounts that may");
        return terms;
    }
}
