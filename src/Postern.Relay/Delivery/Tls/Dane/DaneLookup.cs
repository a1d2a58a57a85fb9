using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Delivery.Tls.Dane;

/// <summary>
/// Finds the TLSA records of a host (RFC 7672 §2.2). What is not proven by DNSSEC is not there; what cannot be looked up, or is refuted,
/// is an error, never an absence: else whoever is in between would take the records away by breaking them (§2.1.2).
/// </summary>
internal sealed class DaneLookup(DnsCache dns)
{
    /// <param name="host">As the MX record names it, or the domain itself where it has none.</param>
    public async ValueTask<DaneAnswer> FindAsync(string host, int port, CancellationToken ct)
    {
        // Addresses first: name servers of unsigned zones answer badly to TLSA (§2.2.2).
        var v4 = await dns.QueryAsync(host, DnsType.A, ct).ConfigureAwait(false);
        var v6 = await dns.QueryAsync(host, DnsType.Aaaa, ct).ConfigureAwait(false);
        var addresses = v4.Status == DnsStatus.Found ? v4 : v6;
        if (addresses.Status == DnsStatus.Unavailable)
            return new DaneAnswer.Failed(addresses.Detail);
        var isAlias = !addresses.CanonicalName.Equals(host, StringComparison.OrdinalIgnoreCase);
        if (!v4.IsAuthentic && !v6.IsAuthentic)
        {
            if (!isAlias)
                return new DaneAnswer.None($"DNSSEC does not prove the addresses of {host}");
            // The whole answer is as weak as its weakest part: whether the alias itself is proven is asked by itself (§2.1.3).
            var alias = await dns.QueryAsync(host, DnsType.Cname, ct).ConfigureAwait(false);
            if (alias.Status == DnsStatus.Unavailable)
                return new DaneAnswer.Failed(alias.Detail);
            return alias.IsAuthentic
                ? await FindAsync([host], port, ct).ConfigureAwait(false)
                : new DaneAnswer.None($"DNSSEC does not prove the alias {host}");
        }

        return await FindAsync(isAlias ? [addresses.CanonicalName, host] : [host], port, ct).ConfigureAwait(false);
    }

    /// <summary>The first name with proven records has them (§2.2.3).</summary>
    private async ValueTask<DaneAnswer> FindAsync(string[] candidates, int port, CancellationToken ct)
    {
        foreach (var candidate in candidates)
        {
            var name = NameOf(candidate, port);
            var answer = await dns.QueryAsync(name, DnsType.Tlsa, ct).ConfigureAwait(false);
            if (answer.Status == DnsStatus.Unavailable)
                return new DaneAnswer.Failed(answer.Detail);
            if (answer is { Status: DnsStatus.Found, IsAuthentic: true })
            {
                ImmutableArray<DnsRecord.Tlsa> published = [.. answer.Records.OfType<DnsRecord.Tlsa>()];
                return new DaneAnswer.Records(candidate, TlsaRecord.Usable(published), published);
            }
        }

        return new DaneAnswer.None($"no TLSA record that DNSSEC proves at {NameOf(candidates[0], port)}");
    }

    public static string NameOf(string host, int port) => string.Create(CultureInfo.InvariantCulture, $"_{port}._tcp.{host}");
}

/// <summary>What the look-up of a host's TLSA records came to.</summary>
internal abstract record DaneAnswer
{
    private DaneAnswer()
    {
    }

    /// <param name="BaseDomain">Where they stand; the name to ask for, and to look for in a certificate (RFC 7672 §3.2.2, §8.1).</param>
    /// <param name="Usable">Empty: TLS is owed all the same, with any certificate (§2.2).</param>
    public sealed record Records(
        string BaseDomain, ImmutableArray<TlsaRecord> Usable, ImmutableArray<DnsRecord.Tlsa> Published) : DaneAnswer;

    /// <summary>DANE does not apply to the host.</summary>
    public sealed record None(string Reason) : DaneAnswer;

    /// <summary>Nobody knows: the host is not to be spoken to now.</summary>
    public sealed record Failed(string Reason) : DaneAnswer;
}
