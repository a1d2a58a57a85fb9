using Postern.Relay.Delivery.Tls;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>What <c>postern tls check</c> says is what a delivery does.</summary>
public sealed class TlsCheckTests
{
    private static async Task<TlsCheckResult> RunAsync(Zones zones, ScriptedSink sink, DeliveryTls tls, string domain = "there.test")
    {
        await using var dns = zones.Serve();
        return await new TlsCheck(TlsRig.Options(dns, sink.Port, tls), policies: null, TimeProvider.System).RunAsync(Domain.Parse(domain), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task It_names_the_records_the_certificate_and_what_that_proves_and_sends_nothing()
    {
        using var certificate = TestCertificate.Create("any.example");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });

        var result = await RunAsync(TlsRig.Zones().Tlsa("mx.there.test", sink.Port, certificate), sink, TlsRig.Policy(TlsLevel.Dane));

        var host = Assert.Single(result.Hosts);
        Assert.True(result is { WouldGo: true, IsAuthentic: true });
        Assert.Equal(($"mx.there.test[127.0.0.1]:{sink.Port}", "dane", "verified", null), (host.Remote, host.Policy, host.Trust, host.Fault));
        Assert.Equal($"1 of 1 can be used, at _{sink.Port}._tcp.mx.there.test", host.Tlsa.Found);
        Assert.Equal($"3 1 1 {host.Certificate!.Spki256[..32]}…", Assert.Single(host.Tlsa.Published));
        Assert.StartsWith("TLSv1.3 ", host.Tls, StringComparison.Ordinal);
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task It_goes_on_to_the_other_hosts_and_says_of_each_why_not()
    {
        using var certificate = TestCertificate.Create("any.example");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        using var other = TestCertificate.Create("other.example");
        var zones = TlsRig.Zones().Tlsa("mx.there.test", sink.Port, other)
            .Mx("there.test", 20, "mx2.there.test").A("mx2.there.test", "10.0.0.1").Tlsa("mx2.there.test", sink.Port, certificate)
            .Mx("there.test", 30, "mx3.there.test").A("mx3.there.test", "127.0.0.1");
        zones.Broken.Add($"_{sink.Port}._tcp.mx3.there.test");

        var result = await RunAsync(zones, sink, TlsRig.Policy(TlsLevel.Dane, TlsOtherwise.Opportunistic));

        Assert.False(result.WouldGo);
        Assert.Equal(["validation-failure", null, "dnssec-invalid"], result.Hosts.Select(static h => h.Fault));
        Assert.Contains("private address", result.Hosts[1].Outcome, StringComparison.Ordinal);
        Assert.NotNull(result.Hosts[0].Certificate);
    }

    [Fact]
    public async Task A_domain_that_takes_no_mail_is_a_problem()
    {
        await using var sink = new ScriptedSink();

        var result = await RunAsync(new Zones().Mx("there.test", 0, ""), sink, DeliveryTls.Opportunistic);

        Assert.Equal((false, "Domain there.test takes no mail (null MX)"), (result.WouldGo, result.Problem));
    }

    [Fact]
    public async Task In_clear_is_said()
    {
        await using var sink = new ScriptedSink();

        Assert.Equal("mail would go in clear", Assert.Single((await RunAsync(TlsRig.Zones(), sink, DeliveryTls.Opportunistic)).Hosts).Outcome);
    }
}
