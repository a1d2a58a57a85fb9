using System.Net;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Dns;

/// <summary>The rules' questions to DNS, asked of the resolvers that delivery asks.</summary>
internal sealed class DnsNames(DnsCache dns) : INameLookup
{
    /// <summary>Of one address: more are a mistake, or somebody who wants to have many questions asked.</summary>
    private const int MostNames = 5;

    private readonly MxResolver exchangers = new(dns);

    public async ValueTask<NameAnswer> FindMailAsync(Domain domain, CancellationToken ct)
    {
        if (domain.Literal is not null)
            return new NameAnswer.Known($"{domain} is an address");
        switch (await exchangers.FindAsync(domain, ct).ConfigureAwait(false))
        {
            case MxAnswer.Never(var status, var reason):
                return new NameAnswer.Unknown(reason) { TakesNone = status == "5.1.10" };
            case MxAnswer.Unavailable(var reason):
                return new NameAnswer.Unavailable(reason);
            case MxAnswer.Hosts { Exchangers: [{ Name: var only }] } when only == domain.Text:
                return await exchangers.FindAddressesAsync(only, ct).ConfigureAwait(false) switch
                {
                    AddressAnswer.Found => new NameAnswer.Known($"{domain} has an address"),
                    AddressAnswer.Unavailable(var reason) => new NameAnswer.Unavailable(reason),
                    _ => new NameAnswer.Unknown($"{domain} has neither an MX record nor an address"),
                };
            case MxAnswer.Hosts hosts:
                return new NameAnswer.Known($"mail for {domain} goes to {hosts.Exchangers[0].Name}");
            default:
                throw new InvalidOperationException("a new answer");
        }
    }

    public async ValueTask<NameAnswer> FindClientAsync(IPAddress client, CancellationToken ct)
    {
        var answer = await dns.QueryAsync(ReverseName.Of(client), DnsType.Ptr, ct).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Unavailable)
            return new NameAnswer.Unavailable($"DNS: {answer.Detail}");
        NameAnswer? failure = null;
        foreach (var name in answer.Records.OfType<DnsRecord.Ptr>().Take(MostNames).Select(static r => r.Target))
        {
            switch (await exchangers.FindAddressesAsync(name, ct).ConfigureAwait(false))
            {
                case AddressAnswer.Found(var addresses) when addresses.Contains(client):
                    return new NameAnswer.Known($"{client} is {name}");
                case AddressAnswer.Unavailable(var reason):
                    failure = new NameAnswer.Unavailable(reason);
                    break;
                default:
                    failure ??= new NameAnswer.Unknown($"{client} has the name {name}, which does not have that address");
                    break;
            }
        }

        return failure ?? new NameAnswer.Unknown($"{client} has no name");
    }
}
