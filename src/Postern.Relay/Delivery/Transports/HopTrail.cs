using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// The hosts and addresses of one next hop that one attempt may still try, in order (RFC 5321 §5.1): each once, until so many were tried,
/// so many spoken to, or the attempt has lasted long enough. Used by one caller at a time.
/// </summary>
internal sealed class HopTrail(HopConnector connector, DeliveryOptions options, TimeProvider clock, NextHop hop, long begunAt)
{
    private readonly Queue<HopEndpoint> endpoints = new();
    private Queue<Exchanger>? hosts;
    private HopEndpoint? behind;
    private bool isAuthentic;
    private Outcome? worst;
    private IHostTurn? full;
    private int fullPreference;
    private int tried;
    private int spokenTo;

    /// <summary>A connection of the same lane, which is kept while a host behind it is asked; null where there is none.</summary>
    public HostPlace? Beside { private get; set; }

    /// <summary>Leaves out a place that was spoken to, and every host that is preferred to it.</summary>
    public HopTrail Behind(HopEndpoint endpoint)
    {
        behind = endpoint;
        tried = spokenTo = 1;
        return this;
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
            if (connector.WhyOurs(endpoint) is { } loop)
                return End(loop);
            if (connector.WhyNot(endpoint) is { } why)
            {
                Note(why);
                continue;
            }

            // What is preferred less is not for those whom a limit of this server keeps from what is preferred.
            if (full is not null && endpoint.Preference != fullPreference)
                break;
            var (place, isFull) = connector.Places.TryEnter(endpoint, hop, options.ConnectionsPerDestination, Beside);
            if (place is null)
            {
                (full, fullPreference) = (full ?? isFull, endpoint.Preference);
                continue;
            }

            tried++;
            switch (await connector.TryAsync(endpoint, place, ct).ConfigureAwait(false))
            {
                case HopConnection.Open open:
                    spokenTo++;
                    return open;
                case HopConnection.Closed(var outcome):
                    if (outcome is Outcome.Failed { Cause: DeliveryCause.Loop })
                        return End(outcome);
                    Note(outcome);
                    if (outcome is Outcome.Deferred { After: AfterDeferral.NextAttempt })
                        return Closed(outcome);
                    break;
            }
        }

        if (full is not null)
            return new HopConnection.Full(full);
        return Closed(
            worst
                ?? new Outcome.Deferred(Remote: null, "no further host is there to be asked", Tls: null)
                {
                    Cause = DeliveryCause.Unreachable,
                    Phase = DeliveryPhase.Connect,
                });
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

    private async ValueTask<HopEndpoint?> NextEndpointAsync(CancellationToken ct)
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
                for (var i = behind?.Preference ?? 0; i < servers.Length; i++)
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
                        Note(NoAnswer(reason));
                        break;
                    case MxAnswer.Hosts(var exchangers) answer:
                        isAuthentic = answer.IsAuthentic;
                        AddExchangers(exchangers);
                        break;
                }

                break;
            default:
                throw new InvalidOperationException($"Unknown next hop {hop}");
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
        if (hop is NextHop.SmartHost named && named.Servers[host.Preference].Socket is not null)
        {
            await AddAsync(host, NoAddress, ct).ConfigureAwait(false);
            return;
        }

        switch (hop is NextHop.SmartHost
            ? await connector.Names.FindAsync(host.Name, ct).ConfigureAwait(false)
            : await connector.Resolver.FindAddressesAsync(host.Name, ct).ConfigureAwait(false))
        {
            case AddressAnswer.Found(var addresses):
                await AddAsync(host, addresses, ct).ConfigureAwait(false);
                break;
            case AddressAnswer.None(var reason):
                Note(NoHost(reason, "5.4.4"));
                break;
            case AddressAnswer.Unavailable(var reason):
                Note(NoAnswer(reason));
                break;
        }
    }

    private async ValueTask AddAsync(Exchanger host, ImmutableArray<IPAddress> addresses, CancellationToken ct)
    {
        var terms = await connector.Policy.TermsForAsync(hop, host, isAuthentic, ct).ConfigureAwait(false);
        if (terms.WhyNot is { } why)
        {
            connector.CountRefused(terms, host.Name);
            Note(why);
            return;
        }

        var server = (hop as NextHop.SmartHost)?.Servers[host.Preference];
        foreach (var address in addresses.Distinct())
        {
            var endpoint = new HopEndpoint(host.Name, new IPEndPoint(address, server?.Port ?? options.MxPort), terms, host.Preference)
            {
                From = server?.Socket is null ? hop.Bind : null,
                Hello = hop.Hello,
                IsLmtp = server?.IsLmtp == true,
                Socket = server?.Socket,
            };
            if (endpoint.From is { } from && from.AddressFamily != address.AddressFamily)
                Note(
                    new Outcome.Deferred(
                        endpoint.Remote,
                        $"connect: the route binds to {from}, which reaches no address of this family",
                        Tls: null) { Cause = DeliveryCause.NoRoute, Phase = DeliveryPhase.Connect });
            else if (behind is null || endpoint.Host != behind.Host || !endpoint.Address.Equals(behind.Address))
                endpoints.Enqueue(endpoint);
        }
    }

    /// <summary>What may work later outweighs what never will.</summary>
    private void Note(Outcome outcome)
    {
        if (worst is not Outcome.Deferred || outcome is Outcome.Deferred)
            worst = outcome;
    }
}
