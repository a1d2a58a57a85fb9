using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Transports;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls;

/// <summary>
/// Does what a delivery to a domain does, up to the end of the handshake, by the same code, and says what it came to: to its mail
/// exchangers, or where a route leads (there with the route's login, unless that rests on a token). No mail is sent.
/// </summary>
/// <param name="policies">The directory of MTA-STS policies that are kept; only read. Null: none are.</param>
public sealed class TlsCheck(DeliveryOptions options, string? policies, TimeProvider clock)
{
    /// <summary>For a message that says <c>TLS-Required: No</c> (RFC 8689 §3).</summary>
    public bool IsTlsWaived { get; init; }

    /// <summary>Looks up, connects and shakes hands with each host that mail with the null sender would go to.</summary>
    public async Task<TlsCheckResult> RunAsync(Domain domain, CancellationToken ct)
    {
        var delivery = new SmtpDelivery(options, clock, listeners: null, new StsCache(policies, clock, isReadOnly: true));
        var choice = options.Routes.Choose(domain, tenant: null);
        var result = new TlsCheckResult(domain.Text, Rule: null)
        {
            Route = choice.Route,
            Hop = choice.Hop?.Name,
            IsHeld = choice.Hop is null,
            PassedOver = [.. choice.PassedOver.Select(static p => $"{p.Route}: {p.Because}")],
        };
        // Without any route mail is held; what a route to mail exchangers would come to is worth knowing before it is written.
        switch (choice.Hop ?? new NextHop.MailExchanger(domain))
        {
            case NextHop.Elsewhere { Place: var place }:
                return result with { Place = place is ErrorPlace error ? FateOf(error) : TlsCheckFate.Goes };
            case NextHop.SmartHost named:
                return await CheckServersAsync(delivery.Connector, named, result, ct).ConfigureAwait(false);
            case NextHop.MailExchanger exchangers:
                var rule = options.Tls.For(domain);
                return await CheckExchangersAsync(
                    delivery.Connector,
                    exchangers with { IsTlsWaived = IsTlsWaived },
                    result with { Rule = rule, Waiver = IsTlsWaived ? WaiverOf(rule) : null },
                    ct).ConfigureAwait(false);
            default:
                throw new InvalidOperationException($"Unknown next hop {choice.Hop}");
        }
    }

    private static TlsCheckFate FateOf(ErrorPlace place) => place.Code >= 500 ? TlsCheckFate.Returned : TlsCheckFate.Waits;

    private async Task<TlsCheckResult> CheckServersAsync(
        HopConnector connector, NextHop.SmartHost hop, TlsCheckResult result, CancellationToken ct)
    {
        var trail = connector.Begin(hop, clock.GetTimestamp());
        var hosts = ImmutableArray.CreateBuilder<TlsCheckHost>();
        while (hosts.Count < options.AddressesPerAttempt && await trail.NextEndpointAsync(ct).ConfigureAwait(false) is { } endpoint)
        {
            var terms = endpoint.Terms;
            // Asking for a token may use up the one that the server has kept.
            var isWithoutLogin = terms.Grant is not null;
            if (isWithoutLogin)
                terms = terms with
                {
                    Login = null,
                    Grant = null,
                    Tls = terms.Tls == ClientTls.Opportunistic ? ClientTls.Required : terms.Tls,
                };
            var host = await ConnectAsync(
                connector,
                endpoint with { Terms = terms },
                new TlsCheckHost(endpoint.Host, endpoint.Preference)
                {
                    Tlsa = new TlsCheckRecords("not asked for: the route names the server", []),
                    Policy = TlsWords.Of(terms.Policy),
                },
                ct).ConfigureAwait(false);
            hosts.Add(host.IsOpen && isWithoutLogin ? host with { Outcome = $"{host.Outcome}; the login was not tried" } : host);
        }

        return result with
        {
            Hosts = hosts.ToImmutable(),
            Problem = trail.Worst?.Reply,
            IsFinal = trail.Worst is Outcome.Failed,
        };
    }

    private async Task<TlsCheckResult> CheckExchangersAsync(
        HopConnector connector, NextHop.MailExchanger hop, TlsCheckResult result, CancellationToken ct)
    {
        var domain = hop.Domain;
        var answer = domain.Literal is { }
            ? new MxAnswer.Hosts([new Exchanger(domain.Literal.ToString(), Preference: 0)])
            : await connector.Resolver.FindAsync(domain, ct).ConfigureAwait(false);
        switch (answer)
        {
            case MxAnswer.Never(_, var reason):
                return result with { Problem = reason, IsFinal = true };
            case MxAnswer.Unavailable(var reason):
                return result with { Problem = reason };
            case MxAnswer.Hosts(var exchangers) found:
                var terms = (DomainTerms)connector.Policy;
                var hosts = ImmutableArray.CreateBuilder<TlsCheckHost>();
                foreach (var exchanger in exchangers.Take(options.HostsPerAttempt))
                    hosts.Add(await CheckAsync(connector, terms, hop, exchanger, found.IsAuthentic, ct).ConfigureAwait(false));
                return result with
                {
                    IsAuthentic = found.IsAuthentic,
                    MtaSts = domain.Literal is null ? await StsOfAsync(terms, domain, ct).ConfigureAwait(false) : null,
                    Hosts = hosts.ToImmutable(),
                };
            default:
                throw new InvalidOperationException("Unknown answer");
        }
    }

    private string WaiverOf(TlsRule rule) =>
        !options.Tls.HonoursTlsRequiredNo ? "not honoured: delivery.tls.honour_tls_required_no is false"
        : options.Tls.IsWaivable(rule) ? "honoured: what the domain publishes does not count"
        : rule.UsesDane ? "not honoured: the policy of this server requires what the domain publishes"
        : "changes nothing: the policy rests on nothing that the domain publishes";

    private async Task<TlsCheckHost> CheckAsync(
        HopConnector connector, DomainTerms policy, NextHop.MailExchanger hop, Exchanger exchanger, bool isAuthentic, CancellationToken ct)
    {
        var host = new TlsCheckHost(exchanger.Name, exchanger.Preference)
        {
            Tlsa = hop.Domain.Literal is null
                ? await TlsaOfAsync(policy, exchanger.Name, ct).ConfigureAwait(false)
                : new TlsCheckRecords("an address has no TLSA records", []),
        };
        var terms = await policy.TermsForAsync(hop, exchanger, isAuthentic, ct).ConfigureAwait(false);
        host = host with { Policy = TlsWords.Of(terms.Policy), Fault = terms.Fault is { } fault ? TlsWords.Of(fault) : null };
        if (terms.WhyNot is { } why)
            return Of(host, why);
        var addresses = hop.Domain.Literal is { } literal ? new AddressAnswer.Found([literal])
            : await connector.Resolver.FindAddressesAsync(exchanger.Name, ct).ConfigureAwait(false);
        if (addresses is not AddressAnswer.Found(var found))
            return host with
            {
                Outcome = addresses switch
                {
                    AddressAnswer.None(var none) => none,
                    AddressAnswer.Unavailable(var none) => none,
                    _ => "no address",
                },
                IsFinal = addresses is AddressAnswer.None,
            };
        foreach (var address in found.Take(options.AddressesPerAttempt))
        {
            var endpoint = new HopEndpoint(exchanger.Name, new IPEndPoint(address, options.MxPort), terms, exchanger.Preference)
            {
                From = hop.Bind,
                Hello = hop.Hello,
            };
            host = await ConnectAsync(connector, endpoint, host, ct).ConfigureAwait(false);
            if (host.IsOpen)
                break;
        }

        return host;
    }

    private static async Task<TlsCheckHost> ConnectAsync(
        HopConnector connector, HopEndpoint endpoint, TlsCheckHost host, CancellationToken ct)
    {
        if ((connector.WhyOurs(endpoint) ?? connector.WhyNot(endpoint)) is { } refused)
            return Of(host, refused);
        switch (await connector.TryAsync(endpoint, ct).ConfigureAwait(false))
        {
            case HopConnection.Open open:
                var tls = open.Dialogue.Tls;
                await open.Dialogue.QuitAsync(ct).ConfigureAwait(false);
                await open.Dialogue.DisposeAsync().ConfigureAwait(false);
                return host with
                {
                    Remote = endpoint.Remote,
                    IsOpen = true,
                    Tls = tls is { } facts ? $"{facts.Version} {facts.Cipher}" : null,
                    Trust = TlsWords.Of(open.Security.Trust),
                    Fault = open.Security.Fault is { } seen ? TlsWords.Of(seen) : null,
                    Certificate = open.Security.Certificate,
                    Outcome = tls is null ? "mail would go in clear" : "mail would go",
                };
            case HopConnection.Closed(var outcome):
                return Of(host, outcome);
            default:
                throw new InvalidOperationException("Unknown connection");
        }
    }

    /// <summary>What may work later outweighs what never will, as in a delivery.</summary>
    private static TlsCheckHost Of(TlsCheckHost host, Outcome outcome) => host with
    {
        IsFinal = outcome is Outcome.Failed && (host.IsFinal || host.Outcome.Length == 0),
        Remote = outcome.Remote,
        Outcome = outcome.Reply,
        Fault = outcome.Security?.Fault is { } fault ? TlsWords.Of(fault) : null,
        Certificate = outcome.Security?.Certificate,
    };

    private async ValueTask<TlsCheckRecords> TlsaOfAsync(DomainTerms policy, string host, CancellationToken ct) =>
        await policy.Dane.FindAsync(host, options.MxPort, ct).ConfigureAwait(false) switch
        {
            DaneAnswer.Records(var basis, var usable, var published) => new TlsCheckRecords(
                $"{usable.Length} of {published.Length} can be used, at {DaneLookup.NameOf(basis, options.MxPort)}",
                [.. published.Select(static r => TlsaRecord.Text((r.Usage, r.Selector, r.Matching), r.Data))]),
            DaneAnswer.Failed(var reason) => new TlsCheckRecords($"cannot be looked up: {reason}", []),
            DaneAnswer.None(var reason) => new TlsCheckRecords(reason, []),
            _ => throw new InvalidOperationException("Unknown answer"),
        };

    private static async ValueTask<string> StsOfAsync(DomainTerms policy, Domain domain, CancellationToken ct) =>
        await policy.Sts.FindAsync(domain, ct).ConfigureAwait(false) switch
        {
            StsAnswer.Policy(var kept) =>
                $"{StsKept.WordOf(kept.Policy.Mode)}, id {kept.Id}, for {kept.Policy.MaxAge.TotalDays:0.#} days from "
                    + $"{kept.FetchedAt.ToUniversalTime():yyyy-MM-dd HH:mm} UTC, mx {string.Join(' ', kept.Policy.Mx)}",
            StsAnswer.None(var reason, _) => reason,
            _ => throw new InvalidOperationException("Unknown answer"),
        };
}

/// <summary>What mail to a domain meets.</summary>
/// <param name="Rule">Of <c>delivery.tls</c>; null where a route leads past the mail exchangers, and says itself which TLS it has.</param>
public sealed record TlsCheckResult(string Domain, TlsRule? Rule)
{
    /// <summary>The route that decides; null where none does.</summary>
    public string? Route { get; init; }

    /// <summary>Where the mail goes; null where it goes nowhere.</summary>
    public string? Hop { get; init; }

    /// <summary>There is no route at all, and mail waits for one; what is said of mail exchangers is what one to them would meet.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Routes that are for other mail to the domain, each with the reason.</summary>
    public ImmutableArray<string> PassedOver { get; init; } = [];

    /// <summary>What becomes of mail in the place of a route that has no server; null where there are servers.</summary>
    public TlsCheckFate? Place { get; init; }

    /// <summary>Why there is no host at all, or not each that there might be; null where there are all.</summary>
    public string? Problem { get; init; }

    /// <summary>No time changes what <see cref="Problem"/> says.</summary>
    public bool IsFinal { get; init; }

    /// <summary>DNSSEC proves the MX records.</summary>
    public bool IsAuthentic { get; init; }

    /// <summary>What <c>TLS-Required: No</c> changes; null where it was not asked about.</summary>
    public string? Waiver { get; init; }

    /// <summary>The domain's MTA-STS policy, or why there is none; null where the domain is an address.</summary>
    public string? MtaSts { get; init; }

    /// <summary>In the order in which they are tried.</summary>
    public ImmutableArray<TlsCheckHost> Hosts { get; init; } = [];

    /// <summary>What would become of mail now.</summary>
    public TlsCheckFate Fate => IsHeld ? TlsCheckFate.Waits
        : Place is { } fate ? fate
        : Hosts.Any(static h => h.IsOpen) ? TlsCheckFate.Goes
        : (Problem is null || IsFinal) && Hosts.All(static h => h.IsFinal) && (Problem is not null || Hosts.Length > 0)
            ? TlsCheckFate.Returned
            : TlsCheckFate.Waits;

    /// <summary>Some host would have the mail.</summary>
    public bool WouldGo => Fate == TlsCheckFate.Goes;
}

/// <summary>What becomes of mail that is handed on.</summary>
public enum TlsCheckFate
{
    /// <summary>Somebody takes it.</summary>
    Goes,

    /// <summary>It is put off, and returned when its time is over.</summary>
    Waits,

    /// <summary>It is returned at once.</summary>
    Returned,
}

/// <summary>One mail exchanger.</summary>
public sealed record TlsCheckHost(string Name, int Preference)
{
    public required TlsCheckRecords Tlsa { get; init; }

    /// <summary>What it is held to, in the words of the log.</summary>
    public string Policy { get; init; } = string.Empty;

    /// <summary>Host and address; null where none was connected to.</summary>
    public string? Remote { get; init; }

    /// <summary>A session opened on the terms of the policy.</summary>
    public bool IsOpen { get; init; }

    /// <summary>It has no session, and trying again would not help.</summary>
    public bool IsFinal { get; init; }

    /// <summary>Version and cipher; null in clear.</summary>
    public string? Tls { get; init; }

    public string? Trust { get; init; }

    public string? Fault { get; init; }

    public ShownCertificate? Certificate { get; init; }

    /// <summary>What it came to, in words.</summary>
    public string Outcome { get; init; } = string.Empty;
}

/// <summary>TLSA records as they were published, and what they are worth.</summary>
public sealed record TlsCheckRecords(string Found, ImmutableArray<string> Published);
