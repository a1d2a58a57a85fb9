using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

public sealed class RouteTableTests
{
    private static readonly ClientLogin Login = new(new SaslClientCredentials { User = "lisa", Password = new Secret("x") });

    private static RouteTable Table(params Route[] routes) => Routes.Table(routes);

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
        Assert.Equal(hop, table.Find(domain).Name);
    }

    [Fact]
    public void A_domain_without_a_route_goes_to_its_mail_exchangers()
    {
        var table = Table(new Route("example.org", "smtp://exact"));
        Assert.Equal(new NextHop.MailExchanger(Domain.Parse("other.test")), table.Find("other.test"));
    }

    [Theory]
    [InlineData("smtp://127.0.0.1:2626", "127.0.0.1", 2626, ClientTls.Opportunistic)]
    [InlineData("smtp://relay.test", "relay.test", 25, ClientTls.Opportunistic)]
    [InlineData("smtp://relay.test:587?tls=required", "relay.test", 587, ClientTls.Required)]
    [InlineData("smtp://relay.test/?tls=none", "relay.test", 25, ClientTls.None)]
    [InlineData("smtps://relay.test", "relay.test", 465, ClientTls.Implicit)]
    [InlineData("smtps://[::1]:1465", "::1", 1465, ClientTls.Implicit)]
    public void A_next_hop_is_read_from_its_uri(string via, string host, int port, ClientTls tls) =>
        Assert.Equal(new NextHop.SmartHost(host, port, tls), Table(new Route("*", via)).Find("any.test"));

    [Theory]
    [InlineData("smtp://relay.test:587", ClientTls.Required)]
    [InlineData("smtp://relay.test:587?tls=opportunistic", ClientTls.Opportunistic)]
    [InlineData("smtps://relay.test", ClientTls.Implicit)]
    public void A_route_that_logs_in_requires_tls_unless_it_says_otherwise(string via, ClientTls tls) =>
        Assert.Equal(tls, Assert.IsType<NextHop.SmartHost>(Table(new Route("*", via) { Login = Login }).Find("any.test")).Servers[0].Tls);

    [Fact]
    public void Equal_hosts_with_different_logins_are_different_hops()
    {
        var table = Table(new Route("a.test", "smtps://relay.test") { Login = Login }, new Route("b.test", "smtps://relay.test") { Login = new ClientLogin(new SaslClientCredentials { User = "lisa", Password = new Secret("y") }) }, new Route("c.test", "smtps://relay.test"));

        Assert.Equal(3, ((string[])["a.test", "b.test", "c.test"]).Select(name => table.Find(name)).Distinct().Count());
    }

    [Fact]
    public void Equal_routes_of_two_readings_are_equal_hops()
    {
        var certificate = TestCertificate.Create("relay.test");
        RouteTable[] tables = [Read("x", certificate), Read("x", X509CertificateLoader.LoadCertificate(certificate.RawData)), Read("y", certificate), Read("x", TestCertificate.Create("relay.test"))];
        var hops = tables.Select(static table => table.Find("any.test")).ToArray();

        Assert.Equal(hops[0], hops[1]);
        Assert.Equal(hops[0].GetHashCode(), hops[1].GetHashCode());
        Assert.NotEqual(hops[0], hops[2]);
        Assert.NotEqual(hops[0], hops[3]);
        Assert.Equal(2, tables.SelectMany(static table => (NextHop[])[table.Find("a.mx.test"), table.Find("b.mx.test")]).Distinct().Count());

        static RouteTable Read(string password, X509Certificate2 trusted) => Table(
            new Route("*", "smtp://one.test:587", "smtps://[2001:db8::1]")
            {
                Login = new ClientLogin(new SaslClientCredentials { User = "lisa", Password = new Secret(password) }) { Mechanisms = ["PLAIN", "LOGIN"] },
                Trusted = [trusted],
                Bind = IPAddress.Parse("192.0.2.1"),
                Hello = "out.here.test",
            },
            new Route(".mx.test", "mx") { Bind = IPAddress.Parse("192.0.2.2") });
    }

    [Theory]
    [InlineData("smtp://other.test:587", "out.here.test", "192.0.2.1", "PLAIN")]
    [InlineData("smtp://one.test:587?tls=opportunistic", "out.here.test", "192.0.2.1", "PLAIN")]
    [InlineData("smtp://one.test:587", "other.here.test", "192.0.2.1", "PLAIN")]
    [InlineData("smtp://one.test:587", "out.here.test", "192.0.2.9", "PLAIN")]
    [InlineData("smtp://one.test:587", "out.here.test", "192.0.2.1", "LOGIN")]
    public void What_differs_in_one_thing_is_another_hop(string via, string hello, string bind, string mechanism)
    {
        var hop = Read("smtp://one.test:587", "out.here.test", "192.0.2.1", "PLAIN");

        Assert.Equal(hop, Read("smtp://one.test:587", "out.here.test", "192.0.2.1", "PLAIN"));
        Assert.NotEqual(hop, Read(via, hello, bind, mechanism));

        static NextHop Read(string via, string hello, string bind, string mechanism) =>
            Table(new Route("*", via) { Hello = hello, Bind = IPAddress.Parse(bind), Login = Login with { Mechanisms = [mechanism] } }).Find("any.test");
    }

    [Theory]
    [InlineData("a@sales.example.org", "other.test", "sales:25")]
    [InlineData("A@Sales.Example.ORG", "other.test", "sales:25")]
    [InlineData("a@deep.sales.example.org", "other.test", "below:25")]
    [InlineData("boss@example.org", "other.test", "boss:25")]
    [InlineData("lisa@example.org", "other.test", "star:25")]
    [InlineData("", "other.test", "returned:25")]
    [InlineData("a@sales.example.org", "near.test", "near:25")]
    [InlineData("boss@example.org", "near.test", "near-boss:25")]
    [InlineData("boss@example.org", "far.test", "boss:25")]
    [InlineData("lisa@example.org", "far.test", "star:25")]
    [InlineData("a@sales.example.org", "far.test", "far:25")]
    public void The_recipient_comes_first_and_among_routes_to_the_same_the_first_that_fits_the_sender(string sender, string domain, string hop)
    {
        var table = Table(
            new Route("near.test", "smtp://near-boss") { From = ["boss@example.org"] },
            new Route("near.test", "smtp://near"),
            new Route("far.test", "smtp://far") { From = ["sales.example.org"] },
            new Route("*", "smtp://sales") { From = ["@sales.example.org"] },
            new Route("*", "smtp://below") { From = ["@.sales.example.org"] },
            new Route("*", "smtp://boss") { From = ["Boss@example.org", "@.sales.example.org"] },
            new Route("*", "smtp://returned") { From = ["<>"] },
            new Route("*", "smtp://star"));

        Assert.Equal(hop, table.Find(Routes.From(sender), Routes.To(domain)).Name);
    }

    [Theory]
    [InlineData("robot", "submission", "acme", "all:25", "* login robot|batch listener submission tenant acme")]
    [InlineData("Robot", "Submission", null, "robot:25", "* login robot")]
    [InlineData("batch", "submission", "acme", "all:25", "* login robot|batch listener submission tenant acme")]
    [InlineData("lisa", "submission", "acme", "acme:25", "* tenant acme")]
    [InlineData(null, "relay", null, "relay:25", "* listener relay")]
    [InlineData(null, null, null, "other.test", null)]
    public void Login_listener_and_tenant_decide_too_and_the_route_that_did_has_a_name(string? login, string? listener, string? tenant, string hop, string? name)
    {
        var table = Table(
            new Route("*", "smtp://all") { Logins = ["robot", "batch"], Listeners = ["submission"], Tenants = ["acme"] },
            new Route("*", "smtp://robot") { Logins = ["robot"] },
            new Route("*", "smtp://acme") { Tenants = ["acme"] },
            new Route("*", "smtp://relay") { Listeners = ["relay"] });
        var envelope = Routes.From("a@here.test", login, listener, tenant);

        Assert.Equal(hop, table.Find(envelope, Routes.To("other.test")).Name);
        Assert.Equal(name, table.NameOf(envelope, Routes.To("other.test")));
    }

    [Fact]
    public void A_route_that_another_before_it_takes_everything_from_is_a_mistake()
    {
        var wrong = Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", "mx"), new Route("*", "smtp://sales") { From = ["@sales.test"] }]));
        Assert.Equal(new RouteParse.Wrong(1, "to", "'*' has a route without conditions before this one, which is never asked then"), wrong);
        Assert.IsType<RouteParse.Ok>(RouteTable.Parse([new Route("*", "smtp://sales") { From = ["@sales.test"] }, new Route("*", "mx")]));
    }

    [Theory]
    [InlineData(new[] { "smtp://a", "mx" }, 1, "mail exchangers stand alone: mx is not one of several servers")]
    [InlineData(new[] { "smtp://a", "smtp://A:25" }, 1, "'smtp://A:25' stands here twice")]
    [InlineData(new[] { "smtp://u:p@a", "smtp://b" }, 0, "the route to a carries credentials: they belong into login")]
    public void One_of_several_servers_that_is_wrong_is_named(string[] via, int item, string message) =>
        Assert.Equal(new RouteParse.Wrong(0, "via", message) { Item = item }, RouteTable.Parse([new Route("*", [.. via])]));

    [Fact]
    public void Requiretls_can_be_kept_where_any_server_of_any_route_has_tls()
    {
        Assert.True(Table(new Route("a.test", "mx"), new Route("*", "smtp://a?tls=none", "smtps://b")).CanRequireTls);
        Assert.True(Table(new Route("*", "smtp://a") { From = ["@a.test"] }).CanRequireTls);
        Assert.False(Table(new Route("a.test", "mx"), new Route("*", "smtp://a?tls=none")).CanRequireTls);
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
    [InlineData("*", "smtp://relay.test/path", "via", "is not smtp://")]
    [InlineData("*", "smtp://relay.test:99999", "via", "is not smtp://")]
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
