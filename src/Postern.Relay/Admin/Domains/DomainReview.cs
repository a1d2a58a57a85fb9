using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Dkim;

namespace Postern.Relay.Admin.Domains;

/// <summary>
/// Looks at a domain as receivers of its mail do, and says what to mend, what hurts most first: the names of the addresses that mail
/// leaves from, SPF, DKIM, DMARC, and whether answers find their way back.
/// </summary>
public sealed class DomainReview
{
    private const string MendSpf = "Mend the record: receivers take a broken one for none.";

    private readonly DnsClient dns;
    private readonly DkimDns keys;
    private readonly DeliveryOptions options;
    private readonly AddressGuard guard = new([]);

    /// <param name="options">Name the resolvers and this host.</param>
    public DomainReview(DeliveryOptions options, TimeProvider clock)
    {
        this.options = options;
        keys = new DkimDns(options, clock);
        dns = new DnsClient(
            new ResolverList(options.Resolvers, options.ResolversValidate, ResolvConf.Path, clock), options.ResolverTimeout, clock);
    }

    /// <summary>The canonical form of a domain that somebody typed; null where it is none.</summary>
    public static string? Canonical(string domain) => MailNames.TryDomain(domain, out var canonical) ? canonical : null;

    /// <summary>In the order in which to mend.</summary>
    /// <param name="domain">In canonical form.</param>
    /// <param name="made">Its keys here.</param>
    /// <param name="addresses">That its mail leaves from; empty for those of this host's name in DNS.</param>
    /// <param name="via">Another server that all of its mail leaves by; null where this one sends it.</param>
    public async ValueTask<ImmutableArray<DomainFinding>> LookAsync(
        string domain, ImmutableArray<DkimKeyDetails> made, ImmutableArray<IPAddress> addresses, string? via, CancellationToken ct)
    {
        var findings = ImmutableArray.CreateBuilder<DomainFinding>();
        var own = addresses;
        if (via is null && own.IsEmpty)
            own = await OwnAddressesAsync(findings, ct).ConfigureAwait(false);
        foreach (var address in via is null ? own : [])
            findings.Add(await NameOfAsync(address, ct).ConfigureAwait(false));
        // What nobody outside sees is in no record either.
        await SpfAsync(findings, domain, [.. own.Where(a => guard.WhyNot(a) is null)], via, ct).ConfigureAwait(false);
        await DkimAsync(findings, domain, made, ct).ConfigureAwait(false);
        findings.Add(await DmarcAsync(domain, ct).ConfigureAwait(false));
        findings.Add(await MxAsync(domain, ct).ConfigureAwait(false));
        findings.Add(await MtaStsAsync(domain, ct).ConfigureAwait(false));
        return findings.ToImmutable();
    }

    private static DomainFinding Unknown(string topic, DnsAnswer answer) =>
        new(topic, DomainGrade.Unknown, $"DNS does not answer: {answer.Detail}", "Ask again; see delivery.dns for who is asked.");

    private ValueTask<DnsAnswer> AskAsync(string name, DnsType type, CancellationToken ct) => dns.QueryAsync(name, type, ct);

    /// <summary>Those of server.hostname that others can be reached from.</summary>
    private async ValueTask<ImmutableArray<IPAddress>> OwnAddressesAsync(
        ImmutableArray<DomainFinding>.Builder findings, CancellationToken ct)
    {
        var host = options.Hostname;
        if (host.Literal is { } literal)
            return [literal];
        var v4 = await AskAsync(host.Text, DnsType.A, ct).ConfigureAwait(false);
        var v6 = await AskAsync(host.Text, DnsType.Aaaa, ct).ConfigureAwait(false);
        ImmutableArray<IPAddress> found = [.. v4.Records.Concat(v6.Records).OfType<DnsRecord.Address>().Select(static r => r.Value)];
        if (found.IsEmpty && (v4.Status == DnsStatus.Unavailable || v6.Status == DnsStatus.Unavailable))
            findings.Add(Unknown("PTR", v4.Status == DnsStatus.Unavailable ? v4 : v6));
        else if (found.IsEmpty)
            findings.Add(new DomainFinding(
                "PTR",
                DomainGrade.Mend,
                $"server.hostname, {host}, has no address in DNS",
                $"Give {host} an A record with the address that mail leaves from, or set server.hostname to a name that has one; "
                    + "--address names it here."));
        return found;
    }

    /// <summary>Large receivers refuse mail of an address without a name that leads back to it.</summary>
    private async ValueTask<DomainFinding> NameOfAsync(IPAddress address, CancellationToken ct)
    {
        if (guard.WhyNot(address) is { } kind)
            return new DomainFinding(
                "PTR",
                DomainGrade.Hint,
                $"{address} is {kind}: others see another address",
                "Name the address that they see by --address.");
        var answer = await AskAsync(ReverseName.Of(address), DnsType.Ptr, ct).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Unavailable)
            return Unknown("PTR", answer);
        var names = answer.Records.OfType<DnsRecord.Ptr>().Select(static r => r.Target).ToList();
        if (names.Count == 0)
            return new DomainFinding(
                "PTR",
                DomainGrade.Mend,
                $"{address} has no name",
                $"Have whoever owns the address set its reverse name (PTR) to {options.Hostname}: "
                    + "Gmail and others refuse mail from addresses without one.");
        foreach (var name in names)
        {
            var type = address.AddressFamily == AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa;
            var back = await AskAsync(name, type, ct).ConfigureAwait(false);
            if (back.Status == DnsStatus.Unavailable)
                return Unknown("PTR", back);
            if (!back.Records.OfType<DnsRecord.Address>().Any(r => r.Value.Equals(address)))
                continue;
            return name == options.Hostname.Text
                ? new DomainFinding("PTR", DomainGrade.Good, $"{address} is {name}, and back")
                : new DomainFinding(
                    "PTR",
                    DomainGrade.Hint,
                    $"{address} is {name}, and back; this server calls itself {options.Hostname}",
                    $"Set its reverse name to {options.Hostname}, or server.hostname to {name}.");
        }

        return new DomainFinding(
            "PTR",
            DomainGrade.Mend,
            $"{address} is {names[0]}, which does not lead back to it",
            $"Give {names[0]} the address {address} in DNS, or set the reverse name to {options.Hostname}.");
    }

    private async ValueTask SpfAsync(
        ImmutableArray<DomainFinding>.Builder findings,
        string domain,
        ImmutableArray<IPAddress> addresses,
        string? via,
        CancellationToken ct)
    {
        if (via is not null || addresses.IsEmpty)
        {
            var check = new SpfCheck((name, type) => AskAsync(name, type, ct), IPAddress.None);
            var probe = await check.CheckAsync(domain).ConfigureAwait(false);
            findings.Add(probe.Word switch
            {
                SpfWord.Unknown => new DomainFinding("SPF", DomainGrade.Unknown, $"DNS does not answer: {probe.Because}", "Ask again."),
                SpfWord.None => new DomainFinding(
                    "SPF", DomainGrade.Mend, probe.Because, via is null
                        ? "Publish one that names the addresses mail leaves from."
                        : $"Publish what the operator of {via} says: v=spf1 include:… ~all."),
                SpfWord.Broken => new DomainFinding("SPF", DomainGrade.Mend, probe.Because, MendSpf),
                _ => new DomainFinding(
                    "SPF", DomainGrade.Hint, "there is a record; which addresses it must name is not known here", via is null
                        ? "Name the addresses that mail leaves from by --address."
                        : $"See that it includes what the operator of {via} says."),
            });
            return;
        }

        foreach (var address in addresses)
            findings.Add(await SpfAsync(domain, address, ct).ConfigureAwait(false));
    }

    private async ValueTask<DomainFinding> SpfAsync(string domain, IPAddress address, CancellationToken ct)
    {
        var check = new SpfCheck((name, type) => AskAsync(name, type, ct), address);
        var result = await check.CheckAsync(domain).ConfigureAwait(false);
        var term = address.AddressFamily == AddressFamily.InterNetwork ? $"ip4:{address}" : $"ip6:{address}";
        var unsure = check.PassedOver.Count == 0 ? string.Empty : $"; not looked at: {string.Join(' ', check.PassedOver)}";
        return result.Word switch
        {
            SpfWord.Pass when result.Because.Contains("all'", StringComparison.OrdinalIgnoreCase) => new DomainFinding(
                "SPF",
                DomainGrade.Mend,
                $"{result.Because} lets the whole world send",
                $"End the record by ~all or -all, and name {term} before it."),
            SpfWord.Pass => new DomainFinding("SPF", DomainGrade.Good, $"{address} passes, by {result.Because}"),
            SpfWord.Unknown => new DomainFinding("SPF", DomainGrade.Unknown, $"DNS does not answer: {result.Because}", "Ask again."),
            SpfWord.None => new DomainFinding(
                "SPF", DomainGrade.Mend, result.Because, $"Publish a TXT record at {domain}: v=spf1 {term} ~all"),
            SpfWord.Broken => new DomainFinding(
                "SPF", DomainGrade.Mend, result.Because, MendSpf),
            _ => new DomainFinding(
                "SPF",
                check.PassedOver.Count == 0 ? DomainGrade.Mend : DomainGrade.Hint,
                $"{address} does not pass: {result.Because}{unsure}",
                $"Add {term} to the record, before its 'all'."),
        };
    }

    private async ValueTask DkimAsync(
        ImmutableArray<DomainFinding>.Builder findings, string domain, ImmutableArray<DkimKeyDetails> made, CancellationToken ct)
    {
        if (made.All(static key => key.State != "active"))
            findings.Add(
                made.Any(static key => key.State == "pending")
                    ? new DomainFinding("DKIM", DomainGrade.Mend, "its key waits to be put to use", $"postern dkim activate {domain}")
                    : new DomainFinding("DKIM", DomainGrade.Mend, "its mail is not signed: no key", $"postern dkim create {domain}"));
        foreach (var key in made.Where(static key => key.State is "active" or "replaced"))
        {
            var answer = await key.LookAsync(keys, ct).ConfigureAwait(false);
            findings.Add(answer switch
            {
                DkimDnsAnswer.Shown(IsTesting: false) => new DomainFinding(
                    "DKIM", DomainGrade.Good, $"{key.RecordName} shows the {key.Algorithm} key"),
                DkimDnsAnswer.Unavailable => new DomainFinding("DKIM", DomainGrade.Unknown, answer.Words, "Ask again."),
                _ => new DomainFinding(
                    "DKIM", DomainGrade.Mend, $"{key.RecordName}: {answer.Words}", $"Publish what 'postern dkim dns {domain}' prints."),
            });
        }
    }

    /// <summary>The record of the domain, or of one above it (RFC 7489 §6.6.3).</summary>
    private async ValueTask<DomainFinding> DmarcAsync(string domain, CancellationToken ct)
    {
        for (var at = domain; at.Contains('.', StringComparison.Ordinal); at = at[(at.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            var answer = await AskAsync($"_dmarc.{at}", DnsType.Txt, ct).ConfigureAwait(false);
            if (answer.Status == DnsStatus.Unavailable)
                return Unknown("DMARC", answer);
            var records = answer.Records.OfType<DnsRecord.Txt>().Select(static r => r.Text)
                .Where(static t => t.StartsWith("v=DMARC1", StringComparison.Ordinal)).ToList();
            if (records.Count > 1)
                return new DomainFinding(
                    "DMARC",
                    DomainGrade.Mend,
                    string.Create(CultureInfo.InvariantCulture, $"_dmarc.{at} has {records.Count} records, of which receivers take none"),
                    "Leave one of them.");
            if (records.Count == 1)
                return Judge(at, records[0]);
        }

        return new DomainFinding(
            "DMARC",
            DomainGrade.Mend,
            "there is no record",
            $"Publish a TXT record at _dmarc.{domain}: v=DMARC1; p=none; rua=mailto:dmarc@{domain} "
                + "(Gmail and Yahoo want one of who sends much).");
    }

    private static DomainFinding Judge(string at, string record) =>
        DkimRecord.TagsOf(record) is { } tags && tags.TryGetValue("p", out var policy) ? policy.ToLowerInvariant() switch
        {
            "none" => new DomainFinding(
                "DMARC",
                DomainGrade.Hint,
                $"_dmarc.{at} has p=none: forgeries are let through",
                tags.ContainsKey("rua")
                    ? "When its reports show that all of your mail passes: p=quarantine, then p=reject."
                    : $"Add rua=mailto:dmarc@{at}, read the reports, then p=quarantine."),
            "quarantine" or "reject" => new DomainFinding("DMARC", DomainGrade.Good, $"_dmarc.{at} has p={policy}"),
            _ => new DomainFinding("DMARC", DomainGrade.Mend, $"_dmarc.{at} has p={policy}", "p is none, quarantine or reject."),
        }
        : new DomainFinding("DMARC", DomainGrade.Mend, $"_dmarc.{at} has no policy", "Write p=none, quarantine or reject behind v=DMARC1.");

    /// <summary>Answers and reports must find their way; a domain that takes no mail is refused as a sender by many.</summary>
    private async ValueTask<DomainFinding> MxAsync(string domain, CancellationToken ct)
    {
        var answer = await AskAsync(domain, DnsType.Mx, ct).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Unavailable)
            return Unknown("MX", answer);
        var hosts = answer.Records.OfType<DnsRecord.Mx>().OrderBy(static r => r.Preference).Select(static r => r.Exchange).ToList();
        if (hosts is [""])
            return new DomainFinding(
                "MX",
                DomainGrade.Mend,
                "it says that it takes no mail (null MX)",
                "Give it an MX, or send from another domain: answers and reports are refused.");
        foreach (var host in hosts.Count == 0 ? [domain] : hosts)
        {
            var v4 = await AskAsync(host, DnsType.A, ct).ConfigureAwait(false);
            var v6 = await AskAsync(host, DnsType.Aaaa, ct).ConfigureAwait(false);
            if (v4.Records.IsEmpty && v6.Records.IsEmpty)
            {
                if (v4.Status == DnsStatus.Unavailable || v6.Status == DnsStatus.Unavailable)
                    return Unknown("MX", v4.Status == DnsStatus.Unavailable ? v4 : v6);
                return hosts.Count == 0
                    ? new DomainFinding(
                        "MX",
                        DomainGrade.Mend,
                        "it has neither MX nor address",
                        $"Give {domain} an MX: answers and reports cannot reach it.")
                    : new DomainFinding("MX", DomainGrade.Mend, $"its MX {host} has no address", "Give it one, or take it out.");
            }
        }

        return hosts.Count == 0
            ? new DomainFinding("MX", DomainGrade.Hint, "there is none; mail goes to the domain's own address", $"Give {domain} an MX.")
            : new DomainFinding("MX", DomainGrade.Good, string.Join(", ", hosts));
    }

    /// <summary>Whether senders are told to insist on TLS towards the domain (RFC 8461 §3.1).</summary>
    private async ValueTask<DomainFinding> MtaStsAsync(string domain, CancellationToken ct)
    {
        var answer = await AskAsync($"_mta-sts.{domain}", DnsType.Txt, ct).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Unavailable)
            return Unknown("MTA-STS", answer);
        var records = answer.Records.OfType<DnsRecord.Txt>().Select(static r => r.Text)
            .Where(static t => t.StartsWith("v=STSv1;", StringComparison.Ordinal)).ToList();
        return records switch
        {
            [] => new DomainFinding(
                "MTA-STS",
                DomainGrade.Hint,
                "there is no record: mail to it may come without TLS",
                "Whoever runs its MX can publish _mta-sts and a policy (RFC 8461)."),
            [var one] when DkimRecord.TagsOf(one)?.ContainsKey("id") == true => new DomainFinding(
                "MTA-STS",
                DomainGrade.Good,
                $"there is a record; its policy, https://mta-sts.{domain}/.well-known/mta-sts.txt, is not read here"),
            _ => new DomainFinding(
                "MTA-STS",
                DomainGrade.Mend,
                $"_mta-sts.{domain} has {(records.Count == 1 ? "no id" : "several records")}: senders pass over it",
                "Leave one record: v=STSv1; id=1;"),
        };
    }
}
