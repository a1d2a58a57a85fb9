using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Delivery.Dns;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// Finds the hosts that take mail for a domain (RFC 5321 §5.1): its mail exchangers by preference, equal ones in random order; without
/// any, the domain itself; none at all for a null MX (RFC 7505). Answers are cached as long as their TTL allows.
/// </summary>
internal sealed class MxResolver
{
    private const int MaxHosts = 10;

    private readonly DnsCache dns;
    private readonly Random random;

    /// <param name="resolvers">Empty: those of this host.</param>
    public MxResolver(ImmutableArray<IPEndPoint> resolvers, TimeSpan timeout, TimeProvider clock, Random? random = null)
        : this(new ResolverList(resolvers, isValidating: false, ResolvConf.Path, clock), timeout, clock, random)
    {
    }

    public MxResolver(ResolverList resolvers, TimeSpan timeout, TimeProvider clock, Random? random = null)
        : this(new DnsCache(new DnsClient(resolvers, timeout, clock), clock), random)
    {
    }

    public MxResolver(DnsCache dns, Random? random = null) => (this.dns, this.random) = (dns, random ?? Random.Shared);

    public async ValueTask<MxAnswer> FindAsync(Domain domain, CancellationToken ct)
    {
        var answer = await dns.QueryAsync(domain.Text, DnsType.Mx, ct).ConfigureAwait(false);
        return answer.Status switch
        {
            DnsStatus.Found => Order([.. answer.Records.OfType<DnsRecord.Mx>()], domain, answer.IsAuthentic),
            DnsStatus.NoData => new MxAnswer.Hosts([new Exchanger(domain.Text, Preference: 0)]) { IsAuthentic = answer.IsAuthentic },
            DnsStatus.NoSuchDomain => new MxAnswer.Never("5.1.2", $"Domain {domain} does not exist"),
            _ => new MxAnswer.Unavailable($"DNS: {answer.Detail}"),
        };
    }

    /// <summary>The servers of a service (RFC 2782): by priority, those of the same by chance that follows their weights.</summary>
    /// <param name="name">Such as <c>_submission._tcp.example.net</c>.</param>
    public async ValueTask<MxAnswer> FindServiceAsync(string name, CancellationToken ct)
    {
        var answer = await dns.QueryAsync(name, DnsType.Srv, ct).ConfigureAwait(false);
        if (answer.Status != DnsStatus.Found)
            return answer.Status == DnsStatus.Unavailable
                ? new MxAnswer.Unavailable($"DNS: {answer.Detail}")
                : new MxAnswer.Never("5.4.4", $"There is no SRV record at {name}");
        var records = answer.Records.OfType<DnsRecord.Srv>().Where(static r => IsHost(r.Target)).ToList();
        ImmutableArray<Exchanger> hosts =
            [.. records.GroupBy(static r => r.Priority).OrderBy(static same => same.Key)
                .SelectMany(same => WeightedOrder.Of([.. same], static r => r.Weight, random))
                .Select(static r => new Exchanger(r.Target, r.Priority) { Port = r.Port }).Take(MaxHosts)];
        return hosts.IsEmpty
            ? new MxAnswer.Never("5.4.4", $"The service {name} is not to be had")
            : new MxAnswer.Hosts(hosts) { IsAuthentic = answer.IsAuthentic };
    }

    /// <summary>IPv4 addresses first, then IPv6: reputation of new senders is better there, and few hosts have IPv6 alone.</summary>
    public async ValueTask<AddressAnswer> FindAddressesAsync(string host, CancellationToken ct)
    {
        var v4 = await dns.QueryAsync(host, DnsType.A, ct).ConfigureAwait(false);
        var v6 = await dns.QueryAsync(host, DnsType.Aaaa, ct).ConfigureAwait(false);
        ImmutableArray<IPAddress> found = [.. v4.Records.Concat(v6.Records).OfType<DnsRecord.Address>().Select(static r => r.Value)];
        if (!found.IsEmpty)
            return new AddressAnswer.Found(found);
        var unavailable = v4.Status == DnsStatus.Unavailable ? v4 : v6;
        return unavailable.Status == DnsStatus.Unavailable
            ? new AddressAnswer.Unavailable($"DNS: {unavailable.Detail}")
            : new AddressAnswer.None($"Host {host} has no address");
    }

    private MxAnswer Order(ImmutableArray<DnsRecord.Mx> records, Domain domain, bool isAuthentic)
    {
        if (records is [{ Exchange: "" }])
            return new MxAnswer.Never("5.1.10", $"Domain {domain} takes no mail (null MX)");
        var shuffled = records.ToArray();
        random.Shuffle(shuffled);
        ImmutableArray<Exchanger> hosts =
            [.. shuffled.Where(static r => IsHost(r.Exchange)).OrderBy(static r => r.Preference)
                .DistinctBy(static r => r.Exchange, StringComparer.Ordinal).Select(static r => new Exchanger(r.Exchange, r.Preference))
                .Take(MaxHosts)];
        return hosts.IsEmpty
            ? new MxAnswer.Never("5.4.4", $"Domain {domain} has no usable mail exchanger")
            : new MxAnswer.Hosts(hosts) { IsAuthentic = isAuthentic };
    }

    /// <summary>
    /// An exchanger must be a host name: an address there is a mistake that RFC 5321 §5.1 does not cover, and a way around DNS.
    /// </summary>
    private static bool IsHost(string name) => Domain.TryParse(name, out _) && !IPAddress.TryParse(name, out _);
}
