using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery;
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

    [Theory]
    [InlineData("required", true, TlsCheckFate.Goes, "mail would go")]
    [InlineData("none", false, TlsCheckFate.Goes, "mail would go in clear")]
    [InlineData("required", false, TlsCheckFate.Waits, "STARTTLS")]
    public async Task By_a_route_its_server_is_asked_on_the_routes_terms(string tls, bool offersTls, TlsCheckFate fate, string outcome)
    {
        using var certificate = TestCertificate.Create("localhost");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = offersTls ? certificate : null });

        var result = await RunAsync(sink, $"smtp://localhost:{sink.Port}?tls={tls}", certificate);

        Assert.Equal((fate, null, "there.test"), (result.Fate, result.Rule, result.Route));
        Assert.Contains(outcome, result.Hosts[0].Outcome, StringComparison.Ordinal);
        Assert.Equal("route", result.Hosts[0].Policy);
        Assert.Empty(sink.Messages);
    }

    [Theory]
    [InlineData("maildir:/var/mail/{user}", TlsCheckFate.Goes)]
    [InlineData("discard:", TlsCheckFate.Goes)]
    [InlineData("error:550 5.1.1 Gone", TlsCheckFate.Returned)]
    [InlineData("error:450 4.3.0 Later", TlsCheckFate.Waits)]
    public async Task Where_a_route_has_no_server_none_is_looked_for(string via, TlsCheckFate fate)
    {
        await using var sink = new ScriptedSink();

        var result = await RunAsync(sink, via);

        Assert.Equal((fate, null, 0), (result.Fate, result.Problem, result.Hosts.Length));
    }

    [Fact]
    public async Task A_route_for_other_senders_is_named_and_not_taken()
    {
        await using var sink = new ScriptedSink();
        await using var dns = new Zones().Mx("there.test", 0, "").Serve();
        var options = TlsRig.Options(dns, sink.Port, DeliveryTls.Opportunistic) with
        {
            Routes = ((RouteParse.Ok)RouteTable.Parse([new Route("there.test", "discard:") { From = ["lisa@example.org"] }])).Table,
        };

        var result = await new TlsCheck(options, policies: null, TimeProvider.System).RunAsync(Domain.Parse("there.test"), TestContext.Current.CancellationToken);

        Assert.StartsWith("there.test", Assert.Single(result.PassedOver), StringComparison.Ordinal);
        Assert.Equal("Domain there.test takes no mail (null MX)", result.Problem);
    }

    [Fact]
    public async Task Mail_to_hosts_that_may_never_be_connected_to_is_returned_at_once()
    {
        await using var sink = new ScriptedSink();

        var result = await RunAsync(new Zones().Mx("there.test", 10, "mx.there.test").A("mx.there.test", "10.0.0.1"), sink, DeliveryTls.Opportunistic);

        Assert.Equal(TlsCheckFate.Returned, result.Fate);
    }

    private static async Task<TlsCheckResult> RunAsync(ScriptedSink sink, string via, X509Certificate2? trusted = null)
    {
        await using var dns = new Zones().Serve();
        var route = new Route("there.test", via) { Trusted = trusted is null || via.EndsWith("none", StringComparison.Ordinal) ? null : [trusted] };
        var options = TlsRig.Options(dns, sink.Port, DeliveryTls.Opportunistic) with { Routes = ((RouteParse.Ok)RouteTable.Parse([route])).Table };
        return await new TlsCheck(options, policies: null, TimeProvider.System).RunAsync(Domain.Parse("there.test"), TestContext.Current.CancellationToken);
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
