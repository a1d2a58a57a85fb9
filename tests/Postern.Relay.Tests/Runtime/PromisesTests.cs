using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Spool;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>What EHLO says is what can be kept.</summary>
public sealed class PromisesTests
{
    [Theory]
    [InlineData("", false)]
    [InlineData("mx", false)]
    [InlineData("smtp://relay.test?tls=none", false)]
    [InlineData("smtp://relay.test", true)]
    [InlineData("smtp://relay.test?tls=required", true)]
    [InlineData("smtps://relay.test", true)]
    public async Task Requiretls_is_offered_where_some_route_can_keep_it(string via, bool isOffered)
    {
        using var data = new TemporaryDirectory();
        var routes = via.Length == 0 ? RouteTable.Hold : ((RouteParse.Ok)RouteTable.Parse([new Route("example.net", "mx"), new Route("*", via)])).Table;
        Assert.Equal(isOffered, routes.CanRequireTls);
        await using var relay = await StartAsync(data, routes, [[]]);

        Assert.Equal(isOffered, (await KeywordsAsync(relay)).Contains("REQUIRETLS"));
        await using var client = await SecureAsync(relay);
        await client.SayAsync("MAIL FROM:<a@home.test> REQUIRETLS", isOffered ? "250" : "555 5.5.4");
    }

    [Fact]
    public async Task A_listener_can_do_without_a_keyword_that_its_clients_stumble_over()
    {
        using var data = new TemporaryDirectory();
        string[] optional = [.. SmtpServer.OptionalExtensions];
        await using var relay = await StartAsync(data, RouteTable.Mx, [[], .. optional.Select(static keyword => new[] { keyword })]);
        var all = await KeywordsAsync(relay);

        Assert.NotEmpty(optional.Intersect(all));
        for (var i = 0; i < optional.Length; i++)
        {
            var offered = await KeywordsAsync(relay, listener: i + 1);
            Assert.DoesNotContain(optional[i], offered);
            Assert.InRange(offered.Count, all.Count - 2, all.Count);
        }
    }

    private static async Task<RelayService> StartAsync(TemporaryDirectory data, RouteTable routes, string[][] without) => await RelayService.StartAsync(
        new RelayOptions
        {
            Hostname = "mail.home.test",
            DataDirectory = data.Path,
            Tls = new TlsOptions(TestCertificate.Instance),
            Listeners =
            [
                .. without.Select(static (keywords, i) => new SmtpListenerOptions
                {
                    Name = $"smtp{i}",
                    Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)],
                    WithoutExtensions = keywords,
                }),
            ],
            Policy = new PolicyOptions { Networks = [IPNetwork.Parse("127.0.0.0/8")], SenderRules = ["permit_networks"], RecipientRules = ["permit_networks", "reject_unauth_destination"] },
            Delivery = new DeliveryOptions { Hostname = Domain.Parse("mail.home.test"), Routes = routes },
        },
        TimeProvider.System);

    private static async Task<SmtpDialogue> SecureAsync(RelayService relay, int listener = 0)
    {
        var client = await SmtpDialogue.GreetAsync(relay.Endpoints.Single(e => e.Listener.Name == $"smtp{listener}").Endpoint);
        await client.StartTlsAsync();
        return client;
    }

    private static async Task<IReadOnlyList<string>> KeywordsAsync(RelayService relay, int listener = 0)
    {
        await using var client = await SecureAsync(relay, listener);
        return [.. (await client.AskAsync("EHLO client.test")).Split('\n').Skip(1).Select(static line => line[4..].Trim().Split(' ')[0])];
    }
}
