using System.Collections.Immutable;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// The terms that <c>delivery.tls</c> has for the mail exchangers of a domain, with what the domain publishes about itself. Named servers
/// have the route's.
/// </summary>
internal sealed class DomainTerms(DeliveryOptions options, DnsCache dns, StsPolicies sts) : IHopPolicy
{
    private static readonly HopTerms InClear = new(ClientTls.None, IsGuarded: true) { Policy = TlsPolicy.None };
    private static readonly HopTerms Encrypted = new(ClientTls.Encrypted, IsGuarded: true) { Policy = TlsPolicy.Encrypt };

    private readonly DeliveryTls tls = options.Tls;

    /// <summary>Looks up TLSA records.</summary>
    public DaneLookup Dane { get; } = new(dns);

    /// <summary>Knows MTA-STS policies.</summary>
    public StsPolicies Sts => sts;

    public bool CanProve(NextHop hop) =>
        hop is not NextHop.MailExchanger(var domain) exchangers || (!exchangers.IsTlsOptional && tls.For(domain).CanProve);

    public ValueTask<HopTerms> TermsForAsync(NextHop hop, Exchanger host, bool isAuthentic, CancellationToken ct)
    {
        if (hop is not NextHop.MailExchanger(var domain))
            return RouteTerms.Instance.TermsForAsync(hop, host, isAuthentic, ct);
        var rule = tls.For(domain);
        if (hop is NextHop.MailExchanger { IsTlsOptional: true })
            return new(rule.Level == TlsLevel.None ? InClear : HopTerms.Strangers);
        var asked = new Asked(rule, domain, host, isAuthentic);
        if (hop is NextHop.MailExchanger { IsTlsWaived: true } && tls.IsWaivable(rule))
            return new(Waived(asked));
        return rule.Level switch
        {
            TlsLevel.None => new(InClear),
            TlsLevel.Opportunistic => new(Counted(HopTerms.Strangers, asked)),
            TlsLevel.Encrypt => new(Counted(Encrypted, asked)),
            TlsLevel.Verify => new(Verified(asked)),
            // Nothing is published for an address (RFC 7672 §2.2).
            _ when domain.Literal is not null => new(Otherwise(asked, $"{domain} is an address", TlsFault.DaneRequired)),
            TlsLevel.Dane => ByDaneAsync(asked, ct),
            _ => ByDaneOrStsAsync(asked, ct),
        };
    }

    /// <summary>Where reports are wanted of this server; with no policy of the domain's, unless the terms have one.</summary>
    private HopTerms Counted(HopTerms terms, Asked asked) =>
        options.TlsReportsFrom is null || terms.Subject is not null ? terms : terms with { Subject = TlsSubject.Without(asked.Domain) };

    private TlsSubject? SubjectOf(Asked asked, DaneAnswer.Records records) => options.TlsReportsFrom is null ? null
        : new TlsSubject(asked.Domain, TlsSubject.Tlsa, [.. records.Published.Select(TlsaRecord.WholeText)], []);

    private TlsSubject? SubjectOf(Asked asked, StsPolicy? policy) => options.TlsReportsFrom is null ? null
        : new TlsSubject(asked.Domain, TlsSubject.Sts, policy?.Lines ?? [], policy?.Mx ?? []);

    private async ValueTask<HopTerms> ByDaneAsync(Asked asked, CancellationToken ct) =>
        await Dane.FindAsync(asked.Host.Name, options.MxPort, ct).ConfigureAwait(false) switch
        {
            DaneAnswer.Records records => await ByRecordsAsync(asked, records, ct).ConfigureAwait(false),
            DaneAnswer.Failed(var reason) => NotLookedUp(asked, reason),
            DaneAnswer.None(var reason) => Otherwise(asked, reason, TlsFault.DaneRequired),
            _ => throw new InvalidOperationException("Unknown answer"),
        };

    /// <summary>
    /// What DANE proves comes first, and what it refuses nothing else allows (RFC 8461 §2). Where it proves less than the whole way, for
    /// want of a signed MX record or a usable TLSA record, a policy of the domain proves more.
    /// </summary>
    private async ValueTask<HopTerms> ByDaneOrStsAsync(Asked asked, CancellationToken ct)
    {
        var dane = await Dane.FindAsync(asked.Host.Name, options.MxPort, ct).ConfigureAwait(false);
        if (dane is DaneAnswer.Failed(var reason))
            return NotLookedUp(asked, reason);
        var records = dane as DaneAnswer.Records;
        if (records is { Usable.IsEmpty: false } && asked.IsAuthentic)
            return await ByRecordsAsync(asked, records, ct).ConfigureAwait(false);
        switch (await sts.FindAsync(asked.Domain, ct).ConfigureAwait(false))
        {
            case StsAnswer.Policy({ Policy: var policy }) when policy.Mode == StsMode.Enforce:
                return ByPolicy(asked, policy);
            case StsAnswer.Policy({ Policy: var policy }) when records is null:
                return HopTerms.Strangers with
                {
                    Subject = SubjectOf(asked, policy),
                    Policy = TlsPolicy.MtaStsTesting,
                    Trusted = options.TrustedRoots,
                    Fault = policy.Allows(asked.Host.Name) ? null : TlsFault.ValidationFailure,
                };
            case StsAnswer.None(var none, { } fault) when records is null:
                // A policy that is announced and cannot be had is told of, and counted, whatever follows.
                return Otherwise(asked, none, fault) with { Fault = fault, Subject = SubjectOf(asked, policy: null) };
            case StsAnswer.None(var none, _) when records is null:
                return Otherwise(asked, none, TlsFault.DaneRequired);
            default:
                return await ByRecordsAsync(asked, records!, ct).ConfigureAwait(false);
        }
    }

    private HopTerms ByPolicy(Asked asked, StsPolicy policy) => policy.Allows(asked.Host.Name)
        ? new HopTerms(ClientTls.Required, IsGuarded: true, Login: null, options.TrustedRoots)
        {
            Policy = TlsPolicy.MtaSts,
            // A common name is none (§4.2).
            Proof = new NamedServerProof([asked.Host.Name], options.TrustedRoots),
            ProvesHost = true,
            Subject = SubjectOf(asked, policy),
        }
        : NotNow(
            asked.Host,
            $"{asked.Host.Name} is none of the hosts in the MTA-STS policy of {asked.Domain}",
            new TlsNote(TlsPolicy.MtaSts) { Fault = TlsFault.ValidationFailure },
            SubjectOf(asked, policy));

    private async ValueTask<HopTerms> ByRecordsAsync(Asked asked, DaneAnswer.Records records, CancellationToken ct)
    {
        var (basis, usable, _) = records;
        var isRequired = asked.Rule.Otherwise == TlsOtherwise.Defer;
        if (isRequired && !asked.IsAuthentic)
            return Otherwise(asked, $"DNSSEC does not prove the mail exchangers of {asked.Domain}", TlsFault.DaneRequired);
        // TLS was promised and is owed; by whom, nothing usable says (RFC 7672 §2.2). Where proof is required that is not enough (§6).
        if (usable.IsEmpty)
            return isRequired
                ? Otherwise(asked, $"none of the TLSA records at {basis} can be used", TlsFault.TlsaInvalid)
                : Encrypted with
                {
                    Policy = TlsPolicy.Dane,
                    CertificateName = basis,
                    Fault = TlsFault.TlsaInvalid,
                    Subject = SubjectOf(asked, records),
                };
        return new HopTerms(ClientTls.Required, IsGuarded: true)
        {
            Policy = TlsPolicy.Dane,
            CertificateName = basis,
            Proof = new DaneProof(usable, await NamesAsync(basis, asked, ct).ConfigureAwait(false)),
            ProvesHost = asked.IsAuthentic,
            Subject = SubjectOf(asked, records),
        };
    }

    /// <summary>
    /// The base domain; and the domain of the mail, as it is written and at the end of its aliases, where DNSSEC proves that the host is
    /// one of its exchangers (RFC 7672 §3.2.2).
    /// </summary>
    private async ValueTask<ImmutableArray<string>> NamesAsync(string basis, Asked asked, CancellationToken ct)
    {
        if (!asked.IsAuthentic)
            return [basis];
        var domain = asked.Domain.Text;
        var exchangers = await dns.QueryAsync(domain, DnsType.Mx, ct).ConfigureAwait(false);
        var end = exchangers is { IsAuthentic: true, CanonicalName.Length: > 0 } ? exchangers.CanonicalName : domain;
        return [.. new[] { basis, domain, end }.Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Nothing is published that counts.</summary>
    private HopTerms Otherwise(Asked asked, string reason, TlsFault fault) => asked.Rule.Otherwise switch
    {
        TlsOtherwise.Opportunistic => Counted(HopTerms.Strangers, asked),
        TlsOtherwise.Encrypt => Counted(Encrypted, asked),
        TlsOtherwise.Verify => Verified(asked),
        _ => NotNow(
            asked.Host,
            $"delivery.tls requires {(asked.Rule.Level == TlsLevel.Dane ? "dane" : "dane or mta-sts")} for {asked.Domain}: {reason}",
            new TlsNote(asked.Rule.Level == TlsLevel.Dane ? TlsPolicy.Dane : TlsPolicy.MtaSts) { Fault = fault },
            options.TlsReportsFrom is null ? null : TlsSubject.Without(asked.Domain)),
    };

    /// <summary>
    /// As if the domain published nothing (RFC 8689 §8.4), by the sender's word. Not counted: what the domain publishes was not looked at.
    /// </summary>
    private HopTerms Waived(Asked asked) => asked.Rule.Otherwise == TlsOtherwise.Opportunistic
        ? HopTerms.Strangers with { Policy = TlsPolicy.TlsRequiredNo }
        : Otherwise(asked, "TLS-Required: No", TlsFault.DaneRequired) with { Subject = null };

    private HopTerms Verified(Asked asked) => new(ClientTls.Required, IsGuarded: true, Login: null, options.TrustedRoots)
    {
        Policy = TlsPolicy.Verify,
        Proof = asked.Rule.Names.IsEmpty ? null : new NamedServerProof(asked.Rule.Names, options.TrustedRoots),
        ProvesHost = asked.IsAuthentic || !asked.Rule.Names.IsEmpty,
        Subject = options.TlsReportsFrom is null ? null : TlsSubject.Without(asked.Domain),
    };

    private HopTerms NotLookedUp(Asked asked, string reason) => NotNow(
        asked.Host,
        $"the TLSA records of {asked.Host.Name} cannot be looked up: {reason}",
        new TlsNote(TlsPolicy.Dane) { Fault = TlsFault.DnssecInvalid },
        options.TlsReportsFrom is null ? null : new TlsSubject(asked.Domain, TlsSubject.Tlsa, [], []));

    private static HopTerms NotNow(Exchanger host, string words, TlsNote note, TlsSubject? subject) => HopTerms.Strangers with
    {
        Policy = note.Policy,
        Subject = subject,
        WhyNot = new Outcome.Deferred(host.Name, words, Tls: null)
        {
            Cause = DeliveryCause.NoTls,
            Phase = DeliveryPhase.Dns,
            Security = note,
        },
    };

    /// <summary>For which host of which domain terms are asked.</summary>
    private sealed record Asked(TlsRule Rule, Domain Domain, Exchanger Host, bool IsAuthentic);
}
