using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Dkim;

/// <summary>Asks the resolvers of the deliveries what verifiers would find; nothing is kept of an answer.</summary>
public sealed class DkimDns
{
    private readonly DnsClient dns;

    /// <param name="options">Name the resolvers.</param>
    public DkimDns(DeliveryOptions options, TimeProvider clock) => dns = new DnsClient(
        new ResolverList(options.Resolvers, options.ResolversValidate, ResolvConf.Path, clock), options.ResolverTimeout, clock);

    /// <summary>Compares the record of a selector with its key.</summary>
    public async ValueTask<DkimDnsAnswer> LookAsync(
        string domain, string selector, DkimAlgorithm algorithm, ReadOnlyMemory<byte> publicKey, CancellationToken ct)
    {
        var answer = await dns.QueryAsync(DkimRecord.NameOf(domain, selector), DnsType.Txt, ct).ConfigureAwait(false);
        return answer.Status == DnsStatus.Unavailable
            ? new DkimDnsAnswer.Unavailable($"DNS does not answer: {answer.Detail}")
            : DkimRecord.Judge([.. answer.Records.OfType<DnsRecord.Txt>().Select(static r => r.Text)], algorithm, publicKey.Span);
    }
}
