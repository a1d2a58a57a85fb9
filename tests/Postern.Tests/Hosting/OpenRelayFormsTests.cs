using System.Net;
using Postern.Relay.Spool;
using Postern.Testing;

namespace Postern.Tests.Hosting;

/// <summary>
/// Twenty-five ways to have a server carry mail to a place that is not its own, each by eight ways to reach one that has something to give
/// away: a domain it accepts, a network it trusts, two tenants, a balancer, a filter and devices. None is taken.
/// </summary>
public sealed class OpenRelayFormsTests : IAsyncDisposable
{
    private const string Shop = "shop@acme.example";

    /// <summary>mail.example.org is accepted from anyone; 192.0.2.0/24 and 127.0.0.9 may relay; acme.example is of another tenant.</summary>
    private const string Configuration =
        """
        listeners:
          - { name: plain, listen: ['127.0.0.1:0', '[::1]:0'], tls: none, auth: off }
          - { name: submission, listen: ['127.0.0.1:0'], tls: none, auth: always }
          - { name: balanced, listen: ['127.0.0.1:0'], tls: none, auth: always, proxy_from: ['127.0.0.9/32'] }
          - { name: lmtp, listen: ['127.0.0.1:0'], tls: none, auth: off, protocol: lmtp }
        domains: [mail.example.org]
        networks: ['192.0.2.0/24', '2001:db8::/32', '127.0.0.9/32']
        devices: [{ name: scanners, listen: '127.0.0.1:0', clients: [127.0.0.0/24], from: scanner@mail.example.org, to: '@mail.example.org' }]

        """;

    private static readonly (string From, string To)[] Forms =
    [
        ("<a@example.com>", "<victim@example.net>"),
        ("<a@mail.example.org>", "<victim@example.net>"),
        ("<postmaster@mail.example.org>", "<victim@example.net>"),
        ("<a@localhost>", "<victim@example.net>"),
        ("<a>", "<victim@example.net>"),
        ("<>", "<victim@example.net>"),
        ("<a@[127.0.0.1]>", "<victim@example.net>"),
        ("<a@[192.0.2.7]>", "<victim@[198.51.100.9]>"),
        ("<shop@acme.example>", "<victim@example.net>"),
        ("<a@example.com>", "<victim%example.net@mail.example.org>"),
        ("<a@example.com>", "<victim%example.net@[127.0.0.1]>"),
        ("<a@example.com>", "<victim%example.net%mail.example.org@mail.example.org>"),
        ("<a@example.com>", "<\"victim@example.net\">"),
        ("<a@example.com>", "<\"victim%example.net\">"),
        ("<a@example.com>", "<\"victim@example.net\"@mail.example.org>"),
        ("<a@example.com>", "<victim@example.net@mail.example.org>"),
        ("<a@example.com>", "<victim\\@example.net@mail.example.org>"),
        ("<a@example.com>", "<@mail.example.org:victim@example.net>"),
        ("<a@example.com>", "<@mail.example.org,@[127.0.0.1]:victim@example.net>"),
        ("<a@example.com>", "<example.net!victim>"),
        ("<a@example.com>", "<example.net!victim@mail.example.org>"),
        ("<a@example.com>", "<mail.example.org!example.net!victim>"),
        ("<a@example.com>", "<victim@mail.example.org.example.net>"),
        ("<a@example.com>", "<postmaster@example.net>"),
        ("<a@example.com>", "<victim@example.net> ORCPT=rfc822;a@mail.example.org"),
    ];

    private readonly LiveServer server = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task None_of_twenty_five_forms_is_relayed_by_any_way_to_reach_the_server()
    {
        await server.StartAsync(Configuration);
        await server.Run.PosternAsync("account", "add", Shop, "--tenant", "acme", "--domain", "acme.example");
        await server.Run.PosternAsync("account", "grant", LiveServer.User, "--tenant", "zeta");
        Assert.Equal(25, Forms.Distinct().Count());

        var taken = new List<string>();
        foreach (var (way, connect) in Ways())
        {
            foreach (var (from, to) in Forms)
            {
                await using var session = await connect();
                // Whoever is logged in may send as itself: here it is another tenant's.
                var sender = await session.AskAsync($"MAIL FROM:{(way == "wrong tenant" ? $"<{Shop}>" : from)}");
                var recipient = await session.AskAsync($"RCPT TO:{to}");
                var data = await session.AskAsync("DATA");
                if (!recipient.StartsWith('5') || !data.StartsWith('5') || !(sender.StartsWith('5') || sender.StartsWith("250", StringComparison.Ordinal)))
                    taken.Add($"{way}: {from} {to}: {sender} / {recipient} / {data}");
            }
        }

        Assert.Empty(taken);
        Assert.Empty(await server.Host.Relay.Spool.ListAsync(QueueFilter.Everything, after: null, 10, Cancelled));
    }

    /// <summary>The same server takes what it should, by each way: otherwise refusing everything would be right.</summary>
    [Fact]
    public async Task By_each_way_there_is_mail_that_is_taken()
    {
        await server.StartAsync(Configuration);
        await server.Run.PosternAsync("account", "grant", LiveServer.User, "--tenant", "zeta");
        foreach (var (way, connect) in Ways())
        {
            await using var session = await connect();
            var sender = way == "wrong tenant" ? LiveServer.User : "a@example.com";
            await session.BeginDataAsync(sender, "someone@mail.example.org");
            Assert.StartsWith("250 ", await session.AskAsync("Subject: x\r\n\r\nx\r\n."), StringComparison.Ordinal);
        }

        await using var trusted = await SmtpDialogue.GreetAsync(Of("submission"), source: IPAddress.Parse("127.0.0.9"));
        await trusted.BeginDataAsync("a@example.com", "someone@example.net");
    }

    private IEnumerable<(string Way, Func<Task<SmtpDialogue>> Connect)> Ways() =>
    [
        ("v4", () => SmtpDialogue.GreetAsync(Of("plain", IPAddress.Loopback))),
        ("v6", () => SmtpDialogue.GreetAsync(Of("plain", IPAddress.IPv6Loopback))),
        ("mapped", () => BehindBalancerAsync("TCP6 ::ffff:198.51.100.7 ::ffff:127.0.0.1")),
        ("unauthenticated", () => SmtpDialogue.GreetAsync(Of("submission"))),
        ("PROXY", () => BehindBalancerAsync("TCP4 198.51.100.7 127.0.0.1")),
        ("wrong tenant", LoggedInAsync),
        ("LMTP", LocalAsync),
        ("device", () => SmtpDialogue.GreetAsync(Of("scanners"))),
    ];

    private IPEndPoint Of(string listener, IPAddress? address = null) => server.Host.Relay.Endpoints
        .First(e => e.Listener.Name == listener && (address is null || e.Endpoint.Address.Equals(address))).Endpoint;

    /// <summary>The balancer is in a trusted network; the client that it names is not.</summary>
    private async Task<SmtpDialogue> BehindBalancerAsync(string client)
    {
        var session = await SmtpDialogue.OpenAsync(Of("balanced"), IPAddress.Parse("127.0.0.9"));
        await session.WriteAsync($"PROXY {client} 40000 25\r\n");
        await session.ExpectAsync("220");
        await session.SayAsync("EHLO client.example", "250");
        return session;
    }

    private async Task<SmtpDialogue> LoggedInAsync()
    {
        var session = await SmtpDialogue.GreetAsync(Of("submission"));
        await session.LogInAsync(LiveServer.User, LiveServer.Password);
        return session;
    }

    private async Task<SmtpDialogue> LocalAsync()
    {
        var session = await SmtpDialogue.OpenAsync(Of("lmtp"));
        await session.ExpectAsync("220");
        await session.SayAsync("LHLO client.example", "250");
        return session;
    }
}
