using System.Collections.Immutable;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// The terms that <c>delivery.tls</c> has for the mail exchangers of a domain, with what the domain publishes about itself. Named servers
/// have the route's.
/// </summary>
internal sealed class DomainTerms(DeliveryOptions options, DnsCache dns) : IHopPolicy
{
    private static readonly HopTerms InClear = new(ClientTls.None, IsGuarded: true) { Policy = TlsPolicy.None };
    private static readonly HopTerms Encrypted = new(ClientTls.Encrypted, IsGuarded: true) { Policy = TlsPolicy.Encrypt };

    private readonly DeliveryTls tls = options.Tls;
    private readonly DaneLookup dane = new(dns);

    public bool CanProve(NextHop hop) => hop is not NextHop.MailExchanger(var domain) || tls.For(domain).CanProve;

    public ValueTask<HopTerms> TermsForAsync(NextHop hop, Exchanger host, bool isAuthentic, CancellationToken ct)
    {
        if (hop is not NextHop.MailExchanger(var domain))
            return RouteTerms.Instance.TermsForAsync(hop, host, isAuthentic, ct);
        var rule = tls.For(domain);
        return rule.Level switch
        {
            TlsLevel.None => new(InClear),
            TlsLevel.Opportunistic => new(HopTerms.Strangers),
            TlsLevel.Encrypt => new(Encrypted),
            TlsLevel.Verify => new(Verified(rule, isAuthentic)),
            // Nothing is published for an address (RFC 7672 §2.2).
            _ when domain.Literal is not null => new(Otherwise(rule, domain, host, isAuthentic, $"{domain} is an address")),
            _ => PublishedAsync(rule, domain, host, isAuthentic, ct),
        };
    }

    private async ValueTask<HopTerms> PublishedAsync(TlsRule rule, Domain domain, Exchanger host, bool isAuthentic, CancellationToken ct)
    {
        switch (await dane.FindAsync(host.Name, options.MxPort, ct).ConfigureAwait(false))
        {
            case DaneAnswer.Records records when isAuthentic || rule.Otherwise != TlsOtherwise.Defer:
                return await ByDaneAsync(rule, records, domain, host, isAuthentic, ct).ConfigureAwait(false);
            case DaneAnswer.Records:
                return Otherwise(rule, domain, host, isAuthentic, $"DNSSEC does not prove the mail exchangers of {domain}");
            case DaneAnswer.Failed(var reason):
                return NotNow(host, $"the TLSA records of {host.Name} cannot be looked up: {reason}", TlsFault.DnssecInvalid);
            case DaneAnswer.None(var reason):
                return Otherwise(rule, domain, host, isAuthentic, reason);
            default:
                throw new InvalidOperationException("Unknown answer");
        }
    }

    private async ValueTask<HopTerms> ByDaneAsync(
        TlsRule rule, DaneAnswer.Records records, Domain domain, Exchanger host, bool isAuthentic, CancellationToken ct)
    {
        var (basis, usable, _) = records;
        // TLS was promised and is owed; by whom, nothing usable says (RFC 7672 §2.2). Where proof is required that is not enough (§6).
        if (usable.IsEmpty && rule.Otherwise == TlsOtherwise.Defer)
            return Otherwise(rule, domain, host, isAuthentic, $"none of the TLSA records at {basis} can be used");
        if (usable.IsEmpty)
            return Encrypted with { Policy = TlsPolicy.Dane, CertificateName = basis, Fault = TlsFault.TlsaInvalid };
        return new HopTerms(ClientTls.Required, IsGuarded: true)
        {
            Policy = TlsPolicy.Dane,
            CertificateName = basis,
            Proof = new DaneProof(usable, await NamesAsync(basis, domain, isAuthentic, ct).ConfigureAwait(false)),
            ProvesHost = isAuthentic,
        };
    }

    /// <summary>
    /// The base domain; and the domain of the mail, as it is written and at the end of its aliases, where DNSSEC proves that the host is
    /// one of its exchangers (RFC 7672 §3.2.2).
    /// </summary>
    private async ValueTask<ImmutableArray<string>> NamesAsync(string basis, Domain domain, bool isAuthentic, CancellationToken ct)
    {
        if (!isAuthentic)
            return [basis];
        var exchangers = await dns.QueryAsync(domain.Text, DnsType.Mx, ct).ConfigureAwait(false);
        var end = exchangers is { IsAuthentic: true, CanonicalName.Length: > 0 } ? exchangers.CanonicalName : domain.Text;
        return [.. new[] { basis, domain.Text, end }.Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Nothing is published that counts.</summary>
    private HopTerms Otherwise(TlsRule rule, Domain domain, Exchanger host, bool isAuthentic, string reason) => rule.Otherwise switch
    {
        TlsOtherwise.Opportunistic => HopTerms.Strangers,
        TlsOtherwise.Encrypt => Encrypted,
        TlsOtherwise.Verify => Verified(rule, isAuthentic),
        _ => NotNow(
            host,
            $"delivery.tls requires {(rule.Level == TlsLevel.Dane ? "dane" : "dane or mta-sts")} for {domain}: {reason}",
            TlsFault.DaneRequired),
    };

    private HopTerms Verified(TlsRule rule, bool isAuthentic) => new(
        ClientTls.Required, IsGuarded: true, Login: null, options.TrustedRoots)
    {
        Policy = TlsPolicy.Verify,
        Proof = rule.Names.IsEmpty ? null : new NamedServerProof(rule.Names, options.TrustedRoots),
        ProvesHost = isAuthentic || !rule.Names.IsEmpty,
    };

    private static HopTerms NotNow(Exchanger host, string words, TlsFault fault) => HopTerms.Strangers with
    {
        WhyNot = new Outcome.Deferred(host.Name, words, Tls: null)
        {
            Cause = DeliveryCause.NoTls,
            Phase = DeliveryPhase.Dns,
            Security = new TlsNote(TlsPolicy.Dane) { Fault = fault },
        },
    };
}
