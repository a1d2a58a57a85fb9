using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery.Tls;
using Postern.Smtp.Grammar;

namespace Postern.Configuration;

/// <summary><c>delivery.tls</c>: which TLS mail exchangers are spoken to with.</summary>
internal sealed record OutboundTlsSection(DeliveryTls Tls, X509Certificate2Collection? Trusted, Mailbox? ReportFrom)
{
    private static readonly Kind<TlsLevel> Level = Kinds.Word(
        ("none", TlsLevel.None),
        ("opportunistic", TlsLevel.Opportunistic),
        ("encrypt", TlsLevel.Encrypt),
        ("verify", TlsLevel.Verify),
        ("dane", TlsLevel.Dane),
        ("mta-sts", TlsLevel.MtaSts));

    private static readonly Kind<TlsOtherwise> Otherwise = Kinds.Word(
        ("opportunistic", TlsOtherwise.Opportunistic),
        ("encrypt", TlsOtherwise.Encrypt),
        ("verify", TlsOtherwise.Verify),
        ("defer", TlsOtherwise.Defer));

    public static OutboundTlsSection Read(Section section)
    {
        var fallback = new TlsRule(
            "*",
            section.Value(
                "default",
                Level,
                TlsLevel.Opportunistic,
                "opportunistic",
                "For every domain that no policy is for. `none`: in clear. `opportunistic`: TLS where it is offered and works, else in "
                    + "clear. `encrypt`: TLS with any certificate, or the mail waits. `verify`: TLS with a certificate for the host's "
                    + "name, or the mail waits. `dane`: as TLSA records say that DNSSEC proves. `mta-sts`: the same, and for who has none "
                    + "of these the MTA-STS policy of the domain. Who publishes nothing is spoken to opportunistically."));
        var rules = section.Children(
            "policies",
            ReadRule,
            [],
            "The same for mail to single domains. The policy for the very domain counts, else the one for the longest `.suffix`. "
                + "What is written here is required: mail waits where it cannot be had, until it is given up.");
        ImmutableArray<TlsRule> sound = [.. rules.Where(static r => r.To is not null && DeliveryTls.WhyNot(r) is null)];
        var (tls, index, wrong) = DeliveryTls.Create(fallback, sound);
        if (wrong is not null)
            section.Report("policies", rules.LastIndexOf(sound[index]), wrong);
        var trusted = TrustedFile.Read(
            section,
            "A PEM file of certificates: where a level verifies by the issuer, a receiver's must verify against one of them, or be one of "
                + "them. Read again when it changes.");
        var reportFrom = section.Value(
            "report_from",
            Kinds.Address,
            null!,
            "no reports",
            "The address that daily reports on TLS come from (RFC 8460). With it, sessions with mail exchangers are counted, and domains "
                + "that ask for reports in DNS get one a day. Its domain needs SPF and DKIM, else receivers do not take it.");
        var honours = section.Value(
            "honour_tls_required_no",
            Kinds.Word(("true", true), ("false", false)),
            fallback: true,
            "true",
            "A message with the field `TLS-Required: No` (RFC 8689) goes where the receiver's DANE or MTA-STS would keep it back, in clear "
                + "too: its sender wants it there, such as a word that a certificate has expired. What a policy here requires stays "
                + "required. `false`: the field does not count.");
        tls ??= DeliveryTls.Opportunistic;
        return new OutboundTlsSection(honours ? tls : tls.WithoutTlsRequiredNo(), trusted, reportFrom);
    }

    private static TlsRule ReadRule(Section section)
    {
        var to = section.Required(
            "to", Kinds.Text, "The recipient domain; `.example.org` for every domain below it.");
        var level = section.Required("level", Level, "As `default`.");
        var otherwise = section.Value(
            "otherwise",
            Otherwise,
            TlsOtherwise.Defer,
            "defer",
            "With `dane` and `mta-sts`: what follows where the receiver publishes nothing that counts. `defer`: the mail waits.");
        var names = section.List(
            "names",
            Kinds.Text,
            [],
            "the name of the host",
            "With `verify`: the certificate must be for one of these names instead; `.example.org` for every name below it. Without them, "
                + "and without DNSSEC, whoever forges the MX record is asked for a certificate of his own name.");
        if (to is null)
            return new TlsRule(null!, level);
        var rule = new TlsRule(to.ToLowerInvariant(), level)
        {
            Otherwise = otherwise,
            Names = [.. names.Select(static n => n.ToLowerInvariant())],
        };
        if (DeliveryTls.WhyNot(rule) is { } why)
            section.Report("to", why);
        if (section.Has("otherwise") && level is not (TlsLevel.Dane or TlsLevel.MtaSts))
            section.Report("otherwise", "only a level that asks what the receiver publishes needs it", "level: dane or mta-sts");
        if (section.Has("names") && level != TlsLevel.Verify)
            section.Report("names", "no other level looks at names that are written here", "level: verify");
        if (section.HasEmptyList("names"))
            section.Report("names", "the list is empty", "at least one, or the key left out");
        for (var i = 0; i < rule.Names.Length; i++)
        {
            if (DeliveryTls.WhyNot(new TlsRule(rule.Names[i], level)) is not null)
                section.Report("names", i, $"'{rule.Names[i]}' is no host name, nor '.' and a domain");
        }

        return rule;
    }
}
