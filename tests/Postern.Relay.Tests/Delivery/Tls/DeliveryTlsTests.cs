using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>What each level asks of a host, and for whom it counts.</summary>
public sealed class DeliveryTlsTests
{
    private static Envelope Required(Envelope envelope) => envelope with { Said = envelope.Said with { Parameters = new MailParameters { RequiresTls = true } } };

    [Theory]
    [InlineData(TlsLevel.None, true, DeliveryOutcome.Delivered, null, null)]
    [InlineData(TlsLevel.Opportunistic, true, DeliveryOutcome.Delivered, "unverified", null)]
    [InlineData(TlsLevel.Opportunistic, false, DeliveryOutcome.Delivered, null, null)]
    [InlineData(TlsLevel.Encrypt, true, DeliveryOutcome.Delivered, "unverified", null)]
    [InlineData(TlsLevel.Encrypt, false, DeliveryOutcome.Deferred, null, "starttls-not-supported")]
    [InlineData(TlsLevel.Verify, true, DeliveryOutcome.Deferred, null, "certificate-not-trusted")]
    [InlineData(TlsLevel.Verify, false, DeliveryOutcome.Deferred, null, "starttls-not-supported")]
    public async Task A_level_takes_what_it_says(TlsLevel level, bool hasTls, DeliveryOutcome outcome, string? trust, string? fault)
    {
        using var certificate = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = hasTls ? certificate : null });

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones(), sink, TlsRig.Policy(level));

        Assert.Equal((outcome, trust, fault), (delivery.Outcome, delivery.Tls is null ? null : delivery.TlsTrust, delivery.TlsFault));
        Assert.Equal(level.ToString(), delivery.TlsPolicy, ignoreCase: true);
        if (level == TlsLevel.None)
            Assert.Empty(sink.AskedNames);
    }

    [Theory]
    [InlineData("mx.there.test", false, DeliveryOutcome.Delivered, "host_only")]
    [InlineData("mx.there.test", true, DeliveryOutcome.Delivered, "verified")]
    [InlineData("other.test", true, DeliveryOutcome.Deferred, null)]
    public async Task Verify_asks_for_the_name_of_the_host_and_that_proves_as_much_as_dns_does(string name, bool isSigned, DeliveryOutcome outcome, string? trust)
    {
        using var authority = TestAuthority.Create("authority");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = authority.IssueServer([name]) });
        var zones = TlsRig.Zones();
        if (!isSigned)
            zones.Unsigned.Add("there.test");

        var delivery = await TlsRig.DeliverAsync(zones, sink, TlsRig.Policy(TlsLevel.Verify), options: o => o with { TrustedRoots = [authority.Certificate] });

        Assert.Equal((outcome, trust), (delivery.Outcome, outcome == DeliveryOutcome.Delivered ? delivery.TlsTrust : null));
    }

    [Theory]
    [InlineData("mail.there.test", DeliveryOutcome.Delivered)]
    [InlineData("a.below.test", DeliveryOutcome.Delivered)]
    [InlineData("mx.there.test", DeliveryOutcome.Deferred)]
    [InlineData("below.test", DeliveryOutcome.Deferred)]
    public async Task Names_of_a_rule_stand_in_the_place_of_the_hosts(string name, DeliveryOutcome outcome)
    {
        using var authority = TestAuthority.Create("authority");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = authority.IssueServer([name]) });
        var zones = TlsRig.Zones();
        zones.Unsigned.Add("there.test");

        var delivery = await TlsRig.DeliverAsync(
            zones, sink, TlsRig.Policy(TlsLevel.Verify, TlsOtherwise.Defer, "mail.there.test", ".below.test"), options: o => o with { TrustedRoots = [authority.Certificate] });

        Assert.Equal((outcome, outcome == DeliveryOutcome.Delivered ? "verified" : null), (delivery.Outcome, outcome == DeliveryOutcome.Delivered ? delivery.TlsTrust : null));
    }

    /// <summary>RFC 8689 §4.2.1.</summary>
    [Theory]
    [InlineData(TlsLevel.Dane, true, DeliveryOutcome.Delivered)]
    [InlineData(TlsLevel.Dane, false, DeliveryOutcome.Failed)]
    [InlineData(TlsLevel.Encrypt, true, DeliveryOutcome.Failed)]
    [InlineData(TlsLevel.Opportunistic, true, DeliveryOutcome.Failed)]
    public async Task What_requires_tls_goes_to_a_host_that_is_proven_and_offers_it(TlsLevel level, bool offers, DeliveryOutcome outcome)
    {
        using var certificate = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate, Extensions = offers ? ["REQUIRETLS"] : [] });

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones().Tlsa("mx.there.test", sink.Port, certificate), sink, TlsRig.Policy(level), Required);

        Assert.Equal((outcome, outcome == DeliveryOutcome.Failed ? "5.7.30" : null), (delivery.Outcome, outcome == DeliveryOutcome.Failed ? delivery.Status : null));
        if (outcome == DeliveryOutcome.Delivered)
            Assert.EndsWith(" REQUIRETLS", Assert.Single(sink.Messages).MailLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_requires_tls_does_not_go_to_a_host_that_a_stranger_may_have_named()
    {
        using var certificate = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate, Extensions = ["REQUIRETLS"] });
        var zones = new Zones().Mx("there.test", 10, "mx.signed.test").A("mx.signed.test", "127.0.0.1").Tlsa("mx.signed.test", sink.Port, certificate);
        zones.Unsigned.Add("there.test");

        var delivery = await TlsRig.DeliverAsync(zones, sink, TlsRig.Policy(TlsLevel.Dane, TlsOtherwise.Opportunistic), Required);

        Assert.Equal((DeliveryOutcome.Failed, "5.7.30"), (delivery.Outcome, delivery.Status));
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public void The_very_domain_counts_before_the_longest_suffix_before_the_default()
    {
        var tls = DeliveryTls.Create(
            new TlsRule("*", TlsLevel.Opportunistic),
            [new("example.net", TlsLevel.Dane), new(".net", TlsLevel.None), new(".example.net", TlsLevel.Encrypt)]).Tls!;

        TlsLevel Of(string domain) => tls.For(Domain.Parse(domain)).Level;
        Assert.Equal(
            (TlsLevel.Dane, TlsLevel.Encrypt, TlsLevel.None, TlsLevel.Opportunistic, TlsLevel.Opportunistic),
            (Of("Example.NET"), Of("a.b.example.net"), Of("example2.net"), Of("net"), Of("example.org")));
    }

    [Fact]
    public void Equal_rules_are_equal_so_that_a_reload_which_changes_nothing_forgets_nothing()
    {
        static DeliveryTls Make(string name) => DeliveryTls.Create(new TlsRule("*", TlsLevel.Opportunistic), [new("example.net", TlsLevel.Verify) { Names = [name] }]).Tls!;

        Assert.Equal(Make("a.test"), Make("a.test"));
        Assert.NotEqual(Make("a.test"), Make("b.test"));
    }
}
