using System.Net;
using System.Security.Cryptography;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>What becomes of mail where the receiver publishes TLSA records, and where it does not (RFC 7672).</summary>
public sealed class DaneDeliveryTests
{
    private static readonly DeliveryTls Required = TlsRig.Policy(TlsLevel.Dane);
    private static readonly DeliveryTls WherePublished = TlsRig.Policy(TlsLevel.Dane, TlsOtherwise.Opportunistic);

    private static ScriptedSink Sink(params string[] names) => new(new SinkOptions { Certificate = TestCertificate.Create(names.Length > 0 ? names : ["any.example"]) });

    [Fact]
    public async Task A_certificate_that_a_proven_record_lists_is_verified_whatever_name_it_has()
    {
        await using var sink = Sink("another.example");

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones().Tlsa("mx.there.test", sink.Port, sink.Options.Certificate!), sink, Required);

        Assert.Equal((DeliveryOutcome.Delivered, "dane", "verified", null), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsTrust, delivery.TlsFault));
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(sink.Options.Certificate!.RawData)), "another.example"), (delivery.Certificate, delivery.CertificateFor));
        Assert.Equal(["mx.there.test"], sink.AskedNames);
    }

    [Theory]
    [InlineData(TlsOtherwise.Defer)]
    [InlineData(TlsOtherwise.Opportunistic)]
    public async Task A_certificate_that_no_record_lists_gets_no_mail(TlsOtherwise otherwise)
    {
        await using var sink = Sink();
        using var other = TestCertificate.Create("mx.there.test");

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones().Tlsa("mx.there.test", sink.Port, other), sink, TlsRig.Policy(TlsLevel.Dane, otherwise));

        Assert.Equal((DeliveryOutcome.Deferred, "tls", "no_tls", "validation-failure"), (delivery.Outcome, delivery.Phase, delivery.Category, delivery.TlsFault));
        Assert.NotNull(delivery.Certificate);
        Assert.Contains("no TLSA record of the host", delivery.Reply, StringComparison.Ordinal);
        Assert.Empty(sink.Messages);
        Assert.Equal(1, sink.Connections);
    }

    [Fact]
    public async Task A_host_with_records_that_offers_no_tls_gets_no_mail_in_clear()
    {
        await using var sink = new ScriptedSink();
        using var certificate = TestCertificate.Create("mx.there.test");

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones().Tlsa("mx.there.test", sink.Port, certificate), sink, WherePublished);

        Assert.Equal((DeliveryOutcome.Deferred, "no_tls", "starttls-not-supported"), (delivery.Outcome, delivery.Category, delivery.TlsFault));
        Assert.Empty(sink.Messages);
    }

    /// <summary>RFC 7672 §2.2: TLS is owed, by anybody.</summary>
    [Theory]
    [InlineData(true, DeliveryOutcome.Delivered)]
    [InlineData(false, DeliveryOutcome.Deferred)]
    public async Task Records_that_cannot_be_used_ask_for_tls_with_any_certificate(bool hasTls, DeliveryOutcome expected)
    {
        await using var sink = hasTls ? Sink() : new ScriptedSink();

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones().Tlsa($"_{sink.Port}._tcp.mx.there.test", 0, 0, 1, new byte[32]), sink, WherePublished);

        Assert.Equal((expected, "dane"), (delivery.Outcome, delivery.TlsPolicy));
        Assert.Equal(hasTls ? ("unverified", "tlsa-invalid") : (null, "starttls-not-supported"), (delivery.TlsTrust, delivery.TlsFault));
    }

    [Fact]
    public async Task Records_that_cannot_be_looked_up_put_mail_off_and_are_no_absence()
    {
        await using var sink = Sink();
        var zones = TlsRig.Zones();
        zones.Broken.Add($"_{sink.Port}._tcp.mx.there.test");

        var delivery = await TlsRig.DeliverAsync(zones, sink, WherePublished);

        Assert.Equal((DeliveryOutcome.Deferred, "dns", "dnssec-invalid"), (delivery.Outcome, delivery.Phase, delivery.TlsFault));
        Assert.Equal(0, sink.Connections);
    }

    [Fact]
    public async Task A_host_whose_records_cannot_be_looked_up_is_passed_over_for_the_next()
    {
        await using var sink = Sink();
        var zones = TlsRig.Zones().Mx("there.test", 20, "mx2.there.test").A("mx2.there.test", "127.0.0.1").Tlsa("mx2.there.test", sink.Port, sink.Options.Certificate!);
        zones.Broken.Add($"_{sink.Port}._tcp.mx.there.test");

        var delivery = await TlsRig.DeliverAsync(zones, sink, Required);

        Assert.Equal((DeliveryOutcome.Delivered, $"mx2.there.test[127.0.0.1]:{sink.Port}"), (delivery.Outcome, delivery.Remote));
    }

    /// <summary>RFC 7672 §2.2.1: loops are kept away by the order of exchangers, and that comes first.</summary>
    [Fact]
    public async Task A_host_without_records_that_is_preferred_stays_preferred()
    {
        await using var sink = Sink();
        var zones = TlsRig.Zones().Mx("there.test", 20, "mx2.there.test").A("mx2.there.test", "127.0.0.1").Tlsa("mx2.there.test", sink.Port, sink.Options.Certificate!);

        var delivery = await TlsRig.DeliverAsync(zones, sink, WherePublished);

        Assert.Equal(($"mx.there.test[127.0.0.1]:{sink.Port}", "opportunistic", "unverified"), (delivery.Remote, delivery.TlsPolicy, delivery.TlsTrust));
    }

    [Theory]
    [InlineData(TlsOtherwise.Defer, DeliveryOutcome.Deferred, "dane-required")]
    [InlineData(TlsOtherwise.Encrypt, DeliveryOutcome.Delivered, null)]
    [InlineData(TlsOtherwise.Opportunistic, DeliveryOutcome.Delivered, null)]
    [InlineData(TlsOtherwise.Verify, DeliveryOutcome.Deferred, "certificate-not-trusted")]
    public async Task Where_nothing_is_published_the_rule_says_what_follows(TlsOtherwise otherwise, DeliveryOutcome expected, string? fault)
    {
        await using var sink = Sink("mx.there.test");

        var delivery = await TlsRig.DeliverAsync(TlsRig.Zones(), sink, TlsRig.Policy(TlsLevel.Dane, otherwise));

        Assert.Equal((expected, fault), (delivery.Outcome, delivery.TlsFault));
        if (otherwise == TlsOtherwise.Defer)
            Assert.Equal($"delivery.tls requires dane for there.test: no TLSA record that DNSSEC proves at _{sink.Port}._tcp.mx.there.test", delivery.Reply);
    }

    /// <summary>RFC 7672 §2.2.1: what DNS said without proof is not told as proven.</summary>
    [Theory]
    [InlineData(TlsOtherwise.Opportunistic, DeliveryOutcome.Delivered, "host_only")]
    [InlineData(TlsOtherwise.Defer, DeliveryOutcome.Deferred, null)]
    public async Task A_proven_host_of_a_domain_that_proves_nothing_proves_itself_alone(TlsOtherwise otherwise, DeliveryOutcome expected, string? trust)
    {
        await using var sink = Sink();
        var zones = new Zones().Mx("there.test", 10, "mx.provider.example").A("mx.provider.example", "127.0.0.1").Tlsa("mx.provider.example", sink.Port, sink.Options.Certificate!);
        zones.Unsigned.Add("there.test");

        var delivery = await TlsRig.DeliverAsync(zones, sink, TlsRig.Policy(TlsLevel.Dane, otherwise));

        Assert.Equal((expected, trust), (delivery.Outcome, delivery.TlsTrust));
    }

    [Fact]
    public async Task A_domain_without_exchangers_has_records_of_its_own()
    {
        await using var sink = Sink();

        var delivery = await TlsRig.DeliverAsync(new Zones().A("there.test", "127.0.0.1").Tlsa("there.test", sink.Port, sink.Options.Certificate!), sink, Required);

        Assert.Equal((DeliveryOutcome.Delivered, "verified"), (delivery.Outcome, delivery.TlsTrust));
    }

    /// <summary>RFC 7672 §3.2.2: below an anchor the domain of the mail is a name as good as the host's, where the exchangers are proven.</summary>
    [Theory]
    [InlineData("mx.there.test", true, DeliveryOutcome.Delivered)]
    [InlineData("there.test", true, DeliveryOutcome.Delivered)]
    [InlineData("there.test", false, DeliveryOutcome.Deferred)]
    [InlineData("other.test", true, DeliveryOutcome.Deferred)]
    public async Task Below_an_anchor_the_name_is_the_hosts_or_the_domains(string name, bool isSigned, DeliveryOutcome expected)
    {
        using var root = TestAuthority.Create("root");
        using var below = root.CreateIntermediate("below");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = below.IssueServer([name]), Chain = [below.Certificate] });
        var zones = new Zones().Mx("there.test", 10, "mx.there.test").A("mx.there.test", "127.0.0.1")
            .Tlsa($"_{sink.Port}._tcp.mx.there.test", 2, 0, 1, SHA256.HashData(below.Certificate.RawData));
        await using var dns = new ScriptedDns((asked, type) =>
        {
            var reply = zones.Answer(asked, type);
            return reply is null || isSigned || type != DnsType.Mx ? reply : reply with { IsAuthentic = false };
        });
        await using var rig = new DeliveryRig(TlsRig.Options(dns, sink.Port, WherePublished));
        rig.Scheduler.Start();
        await rig.AddAsync(TlsRig.To);

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((expected, expected == DeliveryOutcome.Delivered ? null : "certificate-host-mismatch"), (delivery.Outcome, delivery.TlsFault));
    }

    [Fact]
    public async Task Mail_to_an_address_has_nothing_published()
    {
        await using var sink = Sink();
        await using var dns = new Zones().Serve();
        await using var rig = new DeliveryRig(TlsRig.Options(dns, sink.Port, WherePublished) with { AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")] });
        rig.Scheduler.Start();
        await rig.AddAsync("b@[127.0.0.1]");

        Assert.Equal("opportunistic", (await rig.Audit.NextAsync<DeliveryEvent>()).TlsPolicy);
    }
}
