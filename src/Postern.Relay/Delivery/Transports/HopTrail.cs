using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Delivery.Shaping;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// The hosts and addresses of one next hop that one attempt may still try, in order (RFC 5321 §5.1): each once, until so many were tried,
/// so many spoken to, or the attempt has lasted long enough. Used by one caller at a time.
/// </summary>
internal sealed class HopTrail(HopConnector connector, DeliveryOptions options, TimeProvider clock, NextHop first, long begunAt)
{
    /// <summary>Whose connections these are, whoever stands in.</summary>
    private readonly NextHop owner = first;

    /// <summary>The first, or who stands in for it once that is so.</summary>
    private NextHop hop = first;

    private readonly string? pool = first.Pool;

    private readonly Queue<HopEndpoint> endpoints = new();
    private Queue<Exchanger>? hosts;
    private HopEndpoint? behind;
    private HopEndpoint? leftOut;
    private bool isAuthentic;
    private Outcome? worst;
    private IHostTurn? full;
    private IHostTurn? isToBeWaitedFor;
    private int fullPreference;
    private int away = int.MaxValue;
    private int tried;
    private int spokenTo;

    /// <summary>A connection of the same lane, which is kept while a host behind it is asked; null where there is none.</summary>
    public HostPlace? Beside { private get; set; }

    /// <summary>Connections are made anew: what others left open may be as closed as the one that was.</summary>
    public bool SharesNothing { private get; set; }

    /// <summary>As <see cref="IDeliveryLane.Admits"/>; null where nobody wants to know.</summary>
    public Func<string, IHostTurn?>? Admits { private get; init; }

    /// <summary>Whose mail is to go, where hosts are told; null for nobody.</summary>
    public PeerClaims? Client { private get; init; }

    /// <summary>Leaves out a place that was spoken to, and every host that is preferred to it.</summary>
    public HopTrail Behind(HopEndpoint endpoint)
    {
        behind = endpoint;
        tried = spokenTo = 1;
        return this;
    }

    /// <summary>Leaves out a place that was spoken to, and no other.</summary>
    public HopTrail Without(HopEndpoint endpoint)
    {
        leftOut = endpoint;
        tried = spokenTo = 1;
        return this;
    }

    /// <summary>
    /// A host that is as good as those of a preference, or better, is away or has as many connections as it may have: another time it may
    /// take what they cannot.
    /// </summary>
    public bool HasBetterLater(int preference)
    {
        var best = full is null ? away : Math.Min(away, fullPreference);
        return best <= preference || (HasWeights && best < int.MaxValue);
    }

    /// <summary>Lets a place be tried once more, before all others.</summary>
    public void Again(HopEndpoint endpoint)
    {
        HopEndpoint[] others = [.. endpoints];
        endpoints.Clear();
        endpoints.Enqueue(endpoint);
        foreach (var other in others)
            endpoints.Enqueue(other);
    }

    /// <summary>The next host that opens a session; closed when there is none.</summary>
    public async ValueTask<HopConnection> NextAsync(CancellationToken ct)
    {
        while (MayGoOn && await NextEndpointAsync(ct).ConfigureAwait(false) is { } endpoint)
        {
            if (isToBeWaitedFor is { } rate)
                return new HopConnection.Full(rate);
            if (connector.WhyOurs(endpoint) is { } loop)
                return End(loop);
            if (connector.WhyNot(endpoint) is { } why)
            {
                Note(why);
                continue;
            }

            if (Take(endpoint) is { } taken)
                return taken;
            // What is preferred less is not for those whom a limit of this server keeps from what is preferred.
            if (full is not null && endpoint.Preference != fullPreference && !HasWeights)
                break;
            var shape = connector.ShapeOf(hop, endpoint.Host, owner.Route);
            var (place, isFull) = connector.Places.TryEnter(endpoint, owner, shape, Beside);
            if (place is null)
            {
                (full, fullPreference) = (full ?? isFull, endpoint.Preference);
                continue;
            }

            tried++;
            switch (await TryAsync(endpoint, place, shape, ct).ConfigureAwait(false))
            {
                case HopConnection.Open open:
                    spokenTo++;
                    if (hop is NextHop.MailExchanger { Fallback: not null })
                        connector.Absences.End(hop);
                    return open;
                case HopConnection.Closed(var outcome):
                    if (outcome is Outcome.Failed { Cause: DeliveryCause.Loop })
                        return End(outcome);
                    Note(outcome, endpoint.Preference);
                    if (outcome is Outcome.Deferred { After: AfterDeferral.NextAttempt })
                        return Closed(outcome);
                    break;
            }
        }

        if (full is not null)
            return new HopConnection.Full(full);
        if (FallsBack())
            return await NextAsync(ct).ConfigureAwait(false);
        return Closed(
            worst
                ?? new Outcome.Deferred(Remote: null, "no further host is there to be asked", Tls: null)
                {
                    Cause = DeliveryCause.Unreachable,
                    Phase = DeliveryPhase.Connect,
                });
    }

    /// <summary>A session that another destination of the same exchanger has left open.</summary>
    private HopConnection.Taken? Take(HopEndpoint endpoint)
    {
        if (pool is not null || SharesNothing || !endpoint.Terms.IsGuarded || connector.Shared?.Take(endpoint, owner) is not { } session)
            return null;
        tried++;
        spokenTo++;
        connector.CountTaken(session);
        if (hop is NextHop.MailExchanger { Fallback: not null })
            connector.Absences.End(hop);
        return new HopConnection.Taken(session);
    }

    /// <summary>From a source of the pool, where there is one.</summary>
    private async ValueTask<HopConnection> TryAsync(HopEndpoint endpoint, HostPlace place, HopShape shape, CancellationToken ct)
    {
        if (pool is null)
            return await connector.TryAsync(endpoint, place, shape, ct).ConfigureAwait(false);
        EgressTake? taken = null;
        try
        {
            taken = await connector.Pools.TakeAsync(pool, endpoint.Address.AddressFamily, ct).ConfigureAwait(false);
        }
        finally
        {
            if (taken is not EgressTake.Source)
                place.Leave();
        }

        switch (taken)
        {
            case EgressTake.None(var why, var isOfFamily):
                return new HopConnection.Closed(
                    new Outcome.Deferred(Remote: null, why, Tls: null)
                    {
                        After = isOfFamily ? AfterDeferral.NextHost : AfterDeferral.NextAttempt,
                        Cause = DeliveryCause.OwnSurroundings,
                        Phase = DeliveryPhase.Connect,
                    });
            case EgressTake.Source(var lease):
                HopConnection? connection = null;
                try
                {
                    var from = endpoint with { From = lease.Source.Address, Hello = lease.Source.Hostname };
                    connection = await connector.TryAsync(from, place, shape, ct).ConfigureAwait(false);
                    return connection is HopConnection.Open open ? open with { Lease = lease } : connection;
                }
                finally
                {
                    if (connection is not HopConnection.Open)
                        lease.Dispose();
                }

            default:
                throw new InvalidOperationException("Unknown answer");
        }
    }

    /// <summary>
    /// Nobody could be spoken to for long enough, and somebody stands in for them. A host that was spoken to has the say, whatever it said.
    /// </summary>
    private bool FallsBack()
    {
        if (hop is not NextHop.MailExchanger { Fallback: { } fallback } exchangers
            || spokenTo > 0
            || worst is not Outcome.Deferred { IsUnreachable: true }
            || connector.Absences.Note(hop) < exchangers.FallbackAfter)
            return false;
        (hop, hosts, tried) = (fallback, null, 0);
        // Whatever they lack who stand in: the exchangers are awaited.
        away = int.MinValue;
        return true;
    }

    private HopConnection.Closed Closed(Outcome outcome) => new(outcome with { Took = clock.GetElapsedTime(begunAt) });

    /// <summary>This host was met: what is behind it is no nearer to the recipient. What a host before it put off stays so.</summary>
    private HopConnection.Closed End(Outcome loop)
    {
        Note(loop);
        endpoints.Clear();
        hosts = new Queue<Exchanger>();
        return Closed(worst!);
    }

    private bool MayGoOn =>
        spokenTo < options.HostsPerAttempt
        && tried < options.AddressesPerAttempt
        && (tried == 0 || clock.GetElapsedTime(begunAt) < options.AttemptTime);

    /// <summary>What is wrong with a host or an address so far; null where nothing is.</summary>
    public Outcome? Worst => worst;

    /// <summary>The next place that would be tried, beside all that is counted; null when there is none.</summary>
    public async ValueTask<HopEndpoint?> NextEndpointAsync(CancellationToken ct)
    {
        while (true)
        {
            if (endpoints.TryDequeue(out var endpoint))
                return endpoint;
            if (hosts is null)
                await FindHostsAsync(ct).ConfigureAwait(false);
            else if (hosts.TryDequeue(out var host))
                await FindAddressesAsync(host, ct).ConfigureAwait(false);
            else
                return null;
        }
    }

    private async ValueTask FindHostsAsync(CancellationToken ct)
    {
        hosts = new Queue<Exchanger>();
        switch (hop)
        {
            case NextHop.SmartHost { Servers: var servers }:
                foreach (var i in OrderOf(servers))
                    hosts.Enqueue(new Exchanger(servers[i].Host, Preference: i));
                break;
            case NextHop.MailExchanger { Domain.Literal: { } literal }:
                await AddAsync(new Exchanger(literal.ToString(), Preference: 0), [literal], ct).ConfigureAwait(false);
                break;
            case NextHop.MailExchanger(var domain):
                switch (await connector.Resolver.FindAsync(domain, ct).ConfigureAwait(false))
                {
                    case MxAnswer.Never(var status, var reason):
                        Note(NoHost(reason, status));
                        break;
                    case MxAnswer.Unavailable(var reason):
                        Note(NoAnswer(reason), int.MinValue);
                        break;
                    case MxAnswer.Hosts(var exchangers) answer:
                        isAuthentic = answer.IsAuthentic;
                        Admit(domain, exchangers);
                        AddExchangers(exchangers);
                        break;
                }

                break;
            default:
                throw new InvalidOperationException($"Unknown next hop {hop}");
        }
    }

    /// <summary>Where something is said of hosts: of the preferred ones the first by its name, so that it is the same each time.</summary>
    private void Admit(Domain domain, ImmutableArray<Exchanger> exchangers)
    {
        if (!connector.AsksForHosts)
            return;
        var host = ShapingCheck.FirstOf(exchangers);
        connector.Hosts.Note(domain.Text, host);
        isToBeWaitedFor = Admits?.Invoke(host);
    }

    private bool HasWeights => hop is NextHop.SmartHost { Servers: [{ Weight: > 0 }, ..] };

    /// <summary>As they were written, behind the one that was spoken to; where they have weights, by chance that follows those.</summary>
    private IEnumerable<int> OrderOf(ImmutableArray<NextHop.Server> servers) => HasWeights
        ? WeightedOrder.Of([.. Enumerable.Range(0, servers.Length)], i => servers[i].Weight, connector.Random)
        : Enumerable.Range(0, servers.Length).Skip(behind?.Preference ?? 0);

    /// <summary>Finds the servers that an operator named by a domain, and puts them before those that are named behind it.</summary>
    private async ValueTask FindServersAsync(NextHop.Server server, int place, CancellationToken ct)
    {
        var service = server.Tls == ClientTls.Implicit ? "_submissions._tcp." : "_submission._tcp.";
        var answer = server.Lookup == ServerLookup.Mx
            ? await connector.Resolver.FindAsync(Domain.Parse(server.Host), ct).ConfigureAwait(false)
            : await connector.Resolver.FindServiceAsync(service + server.Host, ct).ConfigureAwait(false);
        switch (answer)
        {
            case MxAnswer.Hosts(var exchangers):
                var found = exchangers.Select(
                    e => e with { Preference = place, FoundBy = server.Host, IsProven = answer is MxAnswer.Hosts { IsAuthentic: true } });
                hosts = new Queue<Exchanger>([.. found, .. hosts!]);
                break;
            // An operator's own server: what is wrong is DNS or the configuration, and no message is to fail for it.
            case MxAnswer.Never(_, var reason):
                Note(NoAnswer(reason), place);
                break;
            case MxAnswer.Unavailable(var reason):
                Note(NoAnswer(reason), place);
                break;
        }
    }

    private static Outcome.Failed NoHost(string reason, string status) =>
        new(Remote: null, reason, Tls: null, status) { Cause = DeliveryCause.NoRoute, Phase = DeliveryPhase.Dns };

    private static Outcome.Deferred NoAnswer(string reason) =>
        new(Remote: null, reason, Tls: null) { Cause = DeliveryCause.Unreachable, Phase = DeliveryPhase.Dns, IsUnreachable = true };

    /// <summary>
    /// Where this host is among them, only those that are preferred to it (RFC 5321 §5.1): mail to the others would come back here.
    /// </summary>
    private void AddExchangers(ImmutableArray<Exchanger> exchangers)
    {
        var own = exchangers.Where(e => connector.Own.IsNamed(e.Name, options.MxPort)).Select(static e => e.Preference)
            .DefaultIfEmpty(int.MaxValue).Min();
        foreach (var exchanger in exchangers.Where(e => e.Preference < own && (behind is null || e.Preference >= behind.Preference)))
            hosts!.Enqueue(exchanger);
        if (own < int.MaxValue)
            Note(OwnHost.Loop($"a mail exchanger of the domain is {connector.Own.Hostname}, this server"));
    }

    /// <summary>What stands for the address of a Unix socket, which has none.</summary>
    private static readonly ImmutableArray<IPAddress> NoAddress = [IPAddress.None];

    private async ValueTask FindAddressesAsync(Exchanger host, CancellationToken ct)
    {
        var server = (hop as NextHop.SmartHost)?.Servers[host.Preference];
        if (server?.Socket is not null)
        {
            await AddAsync(host, NoAddress, ct).ConfigureAwait(false);
            return;
        }

        if (server is { Lookup: not ServerLookup.Address } && host.FoundBy is null)
        {
            await FindServersAsync(server, host.Preference, ct).ConfigureAwait(false);
            return;
        }

        switch (server is not null && host.FoundBy is null
            ? await connector.Names.FindAsync(host.Name, ct).ConfigureAwait(false)
            : await connector.Resolver.FindAddressesAsync(host.Name, ct).ConfigureAwait(false))
        {
            case AddressAnswer.Found(var addresses):
                await AddAsync(host, addresses, ct).ConfigureAwait(false);
                break;
            case AddressAnswer.None(var reason):
                Note(server is null ? NoHost(reason, "5.4.4") : NoAnswer(reason), host.Preference);
                break;
            case AddressAnswer.Unavailable(var reason):
                Note(NoAnswer(reason), host.Preference);
                break;
        }
    }

    private async ValueTask AddAsync(Exchanger host, ImmutableArray<IPAddress> addresses, CancellationToken ct)
    {
        var terms = await connector.Policy.TermsForAsync(hop, host, isAuthentic, ct).ConfigureAwait(false);
        if (terms.WhyNot is { } why)
        {
            connector.CountRefused(terms, host.Name);
            Note(why, host.Preference);
            return;
        }

        if (host.FoundBy is { } domain && terms.CertificateName is null)
            terms = terms with { CertificateName = IsOf(host, domain) ? host.Name : domain };
        var server = (hop as NextHop.SmartHost)?.Servers[host.Preference];
        var shape = connector.ShapeOf(hop, host.Name, owner.Route);
        var preferred = Preferred(addresses);
        if (preferred.IsEmpty)
            Note(NoAnswer($"{host.Name} has no address of the family that 'delivery.address_preference' allows"));
        foreach (var address in preferred.Distinct())
        {
            var place = new IPEndPoint(address, host.Port ?? server?.Port ?? options.MxPort);
            var endpoint = new HopEndpoint(host.Name, place, terms, host.Preference)
            {
                From = server?.Socket is null ? hop.Bind : null,
                Hello = hop.Hello,
                Limits = shape.ScopeNames,
                IsLmtp = server?.IsLmtp == true,
                Socket = server?.Socket,
                Client = terms.Forward is ClientForward.Proxy or ClientForward.ProxyV2 ? Client : null,
            };
            if (endpoint.From is { } from && from.AddressFamily != address.AddressFamily)
                Note(
                    new Outcome.Deferred(
                        endpoint.Remote,
                        $"connect: the route binds to {from}, which reaches no address of this family",
                        Tls: null) { Cause = DeliveryCause.NoRoute, Phase = DeliveryPhase.Connect });
            else if (!IsSame(endpoint, behind) && !IsSame(endpoint, leftOut))
                endpoints.Enqueue(endpoint);
        }
    }

    /// <summary>
    /// DNS without proof named the host: its certificate proves something only for a name that the operator wrote, or one below it.
    /// </summary>
    private static bool IsOf(Exchanger host, string domain) =>
        host.IsProven || host.Name == domain || host.Name.EndsWith("." + domain, StringComparison.Ordinal);

    private ImmutableArray<IPAddress> Preferred(ImmutableArray<IPAddress> addresses) => options.Addresses switch
    {
        _ when addresses == NoAddress => addresses,
        AddressPreference.Ipv4First => [.. addresses.OrderBy(static a => a.AddressFamily == AddressFamily.InterNetworkV6)],
        AddressPreference.Ipv6First => [.. addresses.OrderBy(static a => a.AddressFamily == AddressFamily.InterNetwork)],
        AddressPreference.Ipv4Only => [.. addresses.Where(static a => a.AddressFamily == AddressFamily.InterNetwork)],
        AddressPreference.Ipv6Only => [.. addresses.Where(static a => a.AddressFamily == AddressFamily.InterNetworkV6)],
        _ => addresses,
    };

    private static bool IsSame(HopEndpoint endpoint, HopEndpoint? other) =>
        other is not null && endpoint.Host == other.Host && endpoint.Address.Equals(other.Address);

    /// <summary>What may work later outweighs what never will.</summary>
    /// <param name="preference">Of the host, where it is about one.</param>
    private void Note(Outcome outcome, int preference = int.MaxValue)
    {
        if (outcome is Outcome.Deferred && preference < away)
            away = preference;
        if (worst is not Outcome.Deferred || outcome is Outcome.Deferred)
            worst = outcome;
    }
}
