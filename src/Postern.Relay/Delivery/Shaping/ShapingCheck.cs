using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Postern.Relay.Delivery.Dns;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>Says what mail to a domain is held to, and which entry says so, by the code that holds it to that.</summary>
public sealed class ShapingCheck(DeliveryOptions options, TimeProvider clock)
{
    /// <summary>Looks up the mail exchangers where the mail goes to them; what cannot be looked up is said.</summary>
    /// <param name="tenant">Null for mail of none.</param>
    public async Task<ShapingReport> RunAsync(Domain domain, string? tenant, CancellationToken ct)
    {
        var choice = options.Routes.Choose(domain, tenant);
        var report = new ShapingReport(domain.Text) { Tenant = tenant, Route = choice.Route, Hop = choice.Hop?.Name };
        string? host = null;
        switch (choice.Hop)
        {
            case null:
                report = report with { Problem = "there is no route: messages are held" };
                break;
            case NextHop.SmartHost named:
                host = named.Servers[0].Host;
                report = report with { Hosts = [.. named.Servers.Select(PlaceOf)] };
                break;
            case NextHop.MailExchanger when domain.Literal is not null:
                host = domain.Literal.ToString();
                report = report with { Hosts = [PlaceOf(host, options.MxPort)] };
                break;
            case NextHop.MailExchanger:
                switch (await new MxResolver(DnsCache.Of(options, clock)).FindAsync(domain, ct).ConfigureAwait(false))
                {
                    case MxAnswer.Hosts(var exchangers):
                        host = FirstOf(exchangers);
                        report = report with { Hosts = [.. exchangers.Select(e => PlaceOf(e.Name, options.MxPort))] };
                        break;
                    case MxAnswer.Never(_, var reason):
                        report = report with { Problem = $"{reason}: entries for hosts are not among what follows" };
                        break;
                    case MxAnswer.Unavailable(var reason):
                        report = report with { Problem = $"{reason}: entries for hosts are not among what follows" };
                        break;
                }

                break;
        }

        var hop = choice.Hop ?? new NextHop.MailExchanger(domain);
        var subject = new ShapingSubject((hop as NextHop.MailExchanger)?.Domain.Text, host, choice.Route, tenant);
        var applying = options.Shaping.For(subject);
        return report with
        {
            PassedOver = subject.Domain is not null ? [] : [.. options.Shaping.Entries
                .Where(e => !e.IsShipped && !e.Domains.IsEmpty && e.IsFor(subject with { Domain = domain.Text }))
                .Select(static e => $"{e.Name} ({e.Source})")],
            Values = [.. ShapingKey.All.SelectMany(key => ValuesOf(applying, key))],
            Needs = RateNeeds.Of(applying, hop.Name),
            Scopes = [.. HopShape.Of(options, subject with { Tenant = null }).Scopes.Select(static s => s.Name)],
        };
    }

    /// <summary>Of those that are preferred the first by its name, as a delivery takes it.</summary>
    internal static string FirstOf(ImmutableArray<Exchanger> exchangers) =>
        exchangers.Where(e => e.Preference == exchangers[0].Preference).Select(static e => e.Name).Min(StringComparer.OrdinalIgnoreCase)!;

    private static string PlaceOf(NextHop.Server server) => server.Socket is not null ? server.Name : PlaceOf(server.Host, server.Port);

    /// <summary>As the connections of a host are counted.</summary>
    private static string PlaceOf(string host, int port) => IPAddress.TryParse(host, out _)
        ? string.Create(CultureInfo.InvariantCulture, $"[{host}]:{port}")
        : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");

    private IEnumerable<ShapingReportValue> ValuesOf(ImmutableArray<ShapingEntry> applying, ShapingKey key)
    {
        if (key is ShapingKey<Rate> rate)
        {
            (ShapingEntry Entry, ShapingValue Said)[] together = [.. ShapingTable.FindTogether(applying, rate)];
            foreach (var (entry, said) in together)
                yield return new ShapingReportValue(key.Name, said.Text, said.Source, entry.Name);
            if (together.Length == 0)
                yield return Usual(key);
            yield break;
        }

        if (ShapingTable.Find(applying, key) is not var (decides, value))
        {
            yield return Usual(key);
            yield break;
        }

        yield return new ShapingReportValue(key.Name, value.Value is null ? UsualOf(key).Text : value.Text, value.Source, decides.Name)
        {
            Over = [.. applying.Where(e => e != decides && e.Values.ContainsKey(key))
                .Select(e => $"{e.Values[key].Text} of {e.Name} ({e.Values[key].Source})")],
        };
    }

    private ShapingReportValue Usual(ShapingKey key) => new(key.Name, UsualOf(key).Text, UsualOf(key).Source, "usual");

    private (string Text, string Source) UsualOf(ShapingKey key)
    {
        const string BuiltIn = "built in";
        return key switch
        {
            _ when key == ShapingKey.Connections => (Number(options.ConnectionsPerDestination), "delivery.connections.per_host"),
            _ when key == ShapingKey.MessagesPerConnection => (Number(options.MessagesPerConnection), BuiltIn),
            _ when key == ShapingKey.RecipientsPerTransaction => (Number(options.RecipientsPerTransaction), BuiltIn),
            _ when key == ShapingKey.Deadline => (Duration(options.Timeouts.Transaction), BuiltIn),
            _ when key == ShapingKey.MinimumRate => ($"{Number(options.Timeouts.MinimumRate)}B/s", BuiltIn),
            _ when key == ShapingKey.RetryFirst => (Duration(options.Retry.First), "delivery.retry.first"),
            _ when key == ShapingKey.Greylisted => (Duration(options.Retry.Greylisted), "delivery.retry.greylisted"),
            _ when key == ShapingKey.SuspendAfter => (Number(HopShape.UsualSuspendAfter), BuiltIn),
            _ when key == ShapingKey.SuspendFor => ("1m at most", BuiltIn),
            _ => ("none", BuiltIn),
        };
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Duration(TimeSpan time) => time.Ticks % TimeSpan.TicksPerHour == 0 ? $"{Number((long)time.TotalHours)}h"
        : time.Ticks % TimeSpan.TicksPerMinute == 0 ? $"{Number((long)time.TotalMinutes)}m"
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###}s");
}

/// <summary>What mail to a domain is held to.</summary>
public sealed record ShapingReport(string Domain)
{
    public string? Tenant { get; init; }

    /// <summary>Which decides, for mail with the null sender; null where none does.</summary>
    public string? Route { get; init; }

    /// <summary>Where the mail goes; null where it goes nowhere.</summary>
    public string? Hop { get; init; }

    /// <summary>The hosts, as <c>host:port</c>, in the order in which they are tried.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>What could not be looked up; null where all could.</summary>
    public string? Problem { get; init; }

    /// <summary>
    /// Entries for the exchangers of this domain, which do not count as its mail goes by a route; each with where it stands.
    /// </summary>
    public ImmutableArray<string> PassedOver { get; init; } = [];

    /// <summary>Every key, a rate perhaps more than once.</summary>
    public ImmutableArray<ShapingReportValue> Values { get; init; } = [];

    /// <summary>It is what a running server goes by.</summary>
    public bool IsServers { get; init; }

    /// <summary>What is slowed or waited for now; empty without a server, and where nothing is.</summary>
    public ImmutableArray<ShapingReportNow> Now { get; init; } = [];

    internal RateNeeds Needs { get; init; } = RateNeeds.None;

    internal ImmutableArray<string> Scopes { get; init; } = [];
}

/// <summary>What counts of a key.</summary>
/// <param name="Source">File and line, or where it is documented.</param>
/// <param name="For">What the entry is about.</param>
public sealed record ShapingReportValue(string Key, string Value, string Source, string For)
{
    /// <summary>What other entries say and does not count here, the next one first.</summary>
    public ImmutableArray<string> Over { get; init; } = [];
}

/// <summary>What is slowed or waited for.</summary>
/// <param name="Name">A host, an entry or a rate.</param>
/// <param name="State">For people; may hold what a host said.</param>
/// <param name="Until">When that is over, or the next may go; null where nobody knows.</param>
public sealed record ShapingReportNow(string Name, string State, DateTimeOffset? Until);
