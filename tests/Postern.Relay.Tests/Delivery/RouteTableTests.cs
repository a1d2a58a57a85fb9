using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery;

public sealed class RouteTableTests
{
    private static readonly ClientLogin Login = new(new SaslClientCredentials { User = "lisa", Password = new Secret("x") });

    private static RouteTable Table(params Route[] routes) => Assert.IsType<RouteParse.Ok>(RouteTable.Parse(routes)).Table;

    [Theory]
    [InlineData("example.org", "exact:25")]
    [InlineData("a.example.org", "suffix:25")]
    [InlineData("a.b.example.org", "suffix:25")]
    [InlineData("x.b.deep.example.org", "deep:25")]
    [InlineData("example.com", "star:25")]
    [InlineData("direct.test", "direct.test")]
    public void The_exact_domain_wins_over_the_longest_suffix_over_the_star(string domain, string hop)
    {
        var table = Table(new("*", "smtp://star"), new(".example.org", "smtp://suffix"), new("Example.ORG", "smtp://exact"), new(".deep.example.org", "smtp://deep"), new("direct.test", "MX"));
        Assert.Equal(hop, table.Find(Domain.Parse(domain)).Name);
    }

    [Fact]
    public void A_domain_without_a_route_goes_to_its_mail_exchangers()
    {
        var table = Table(new Route("example.org", "smtp://exact"));
        Assert.Equal(new NextHop.MailExchanger(Domain.Parse("other.test")), table.Find(Domain.Parse("other.test")));
    }

    [Theory]
    [InlineData("smtp://127.0.0.1:2626", "127.0.0.1", 2626, ClientTls.Opportunistic)]
    [InlineData("smtp://relay.test", "relay.test", 25, ClientTls.Opportunistic)]
    [InlineData("smtp://relay.test:587?tls=required", "relay.test", 587, ClientTls.Required)]
    [InlineData("smtp://relay.test/?tls=none", "relay.test", 25, ClientTls.None)]
    [InlineData("smtps://relay.test", "relay.test", 465, ClientTls.Implicit)]
    [InlineData("smtps://[::1]:1465", "::1", 1465, ClientTls.Implicit)]
    public void A_next_hop_is_read_from_its_uri(string via, string host, int port, ClientTls tls) =>
        Assert.Equal(new NextHop.SmartHost(host, port, tls), Table(new Route("*", via)).Find(Domain.Parse("any.test")));

    [Theory]
    [InlineData("smtp://relay.test:587", ClientTls.Required)]
    [InlineData("smtp://relay.test:587?tls=opportunistic", ClientTls.Opportunistic)]
    [InlineData("smtps://relay.test", ClientTls.Implicit)]
    public void A_route_that_logs_in_requires_tls_unless_it_says_otherwise(string via, ClientTls tls) =>
        Assert.Equal(tls, Assert.IsType<NextHop.SmartHost>(Table(new Route("*", via) { Login = Login }).Find(Domain.Parse("any.test"))).Tls);

    [Fact]
    public void Equal_hosts_with_different_logins_are_different_hops()
    {
        var table = Table(new Route("a.test", "smtps://relay.test") { Login = Login }, new Route("b.test", "smtps://relay.test") { Login = new ClientLogin(new SaslClientCredentials { User = "lisa", Password = new Secret("x") }) }, new Route("c.test", "smtps://relay.test"));

        Assert.Equal(3, ((string[])["a.test", "b.test", "c.test"]).Select(name => table.Find(Domain.Parse(name))).Distinct().Count());
    }

    [Theory]
    [InlineData("mx", true, false, "login", "mail exchangers are strangers: a login needs a via that names its server")]
    [InlineData("mx", false, true, "ca", "no certificate is verified on this route: it needs a via with TLS")]
    [InlineData("smtp://relay.test?tls=none", true, true, "ca", "no certificate is verified on this route: it needs a via with TLS")]
    public void A_login_and_trusted_certificates_need_a_server_that_is_named(string via, bool logsIn, bool trusts, string key, string message)
    {
        var route = new Route("*", via) { Login = logsIn ? Login : null, Trusted = trusts ? [] : null };

        Assert.Equal(new RouteParse.Wrong(0, key, message), RouteTable.Parse([route]));
    }

    [Theory]
    [InlineData("*", "relay.test", "via", "is not mx, smtp://")]
    [InlineData("*", "http://relay.test", "via", "is not mx, smtp://")]
    [InlineData("*", "smtp://user:secret@relay.test", "via", "credentials")]
    [InlineData("*", "smtp://relay.test?tls=maybe", "via", "'?tls=maybe' is not known")]
    [InlineData("*", "smtp://relay.test/path", "via", "is not mx, smtp://")]
    [InlineData("*", "smtp://relay.test:99999", "via", "is not mx, smtp://")]
    [InlineData("not a domain", "mx", "to", "is not *, a domain")]
    [InlineData("*.example.org", "mx", "to", "is not *, a domain")]
    [InlineData("", "mx", "to", "is not *, a domain")]
    public void A_wrong_route_is_named_with_what_was_expected(string to, string via, string key, string message)
    {
        var wrong = Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("first.test", "mx"), new Route(to, via)]));
        Assert.Equal((1, key), (wrong.Index, wrong.Key));
        Assert.Contains(message, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_domain_has_one_route() =>
        Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("example.org", "mx"), new Route("EXAMPLE.org", "mx")]));

    [Theory]
    [InlineData("smtp://relay.test:465", "smtps://relay.test is meant")]
    [InlineData("smtp://relay.test:465?tls=required", "smtps://relay.test is meant")]
    [InlineData("smtps://relay.test:25", "smtp://relay.test:25?tls=required is meant")]
    [InlineData("smtps://[2001:db8::1]:587", "smtp://[2001:db8::1]:587?tls=required is meant")]
    [InlineData("smtp://relay.test:587", null)]
    [InlineData("smtps://relay.test", null)]
    [InlineData("smtp://relay.test", null)]
    [InlineData("mx", null)]
    public void A_scheme_that_does_not_fit_its_port_is_doubted(string via, string? doubt)
    {
        if (doubt is null)
            Assert.Null(RouteTable.DoubtOf(new Route("*", via)));
        else
            Assert.EndsWith(doubt, RouteTable.DoubtOf(new Route("*", via)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(465, ClientFault.Timeout, "no reply within 300 s; on port 465 TLS comes first: smtps:// is meant, not smtp://")]
    [InlineData(465, ClientFault.ConnectionLost, "no reply within 300 s; on port 465 TLS comes first: smtps:// is meant, not smtp://")]
    [InlineData(25, ClientFault.Timeout, "no reply within 300 s")]
    [InlineData(465, ClientFault.ProtocolError, "no reply within 300 s")]
    public void Silence_on_port_465_has_a_likely_reason(int port, ClientFault fault, string detail) =>
        Assert.Equal(new ClientAnswer.Broken(ClientPhase.Greeting, fault, detail), HopConnector.WithAdvice(new ClientAnswer.Broken(ClientPhase.Greeting, fault, "no reply within 300 s"), port));
}
