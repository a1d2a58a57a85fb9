using Postern.Commands.Output;
using Postern.Relay.Spool;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>An account of a tenant, from its login to the route its mail takes.</summary>
public sealed class TenantTests : IAsyncDisposable
{
    private const string Shop = "shop@example.org";

    private readonly LiveServer server = new();

    private CommandRun Run => server.Run;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Every_event_of_a_login_its_message_and_the_route_know_whose_it_is()
    {
        await server.StartAsync(LiveServer.Listeners + "delivery: { routes: [{ tenant: acme, via: 'smtp://127.0.0.1:1' }, { to: '*', via: 'smtp://127.0.0.1:2' }] }\n");
        Assert.Contains("account shop@example.org added for tenant acme", (await Run.PosternAsync("account", "add", Shop, "--tenant", "ACME")).Output, StringComparison.Ordinal);
        await Run.WithInputAsync(LiveServer.Password, "credential", "add", Shop, "--password-stdin");
        Assert.Equal("acme", (await Run.JsonAsync("account", "show", Shop)).GetProperty("tenant").GetString());
        await using (var session = await server.ConnectAsync())
        {
            await session.LogInAsync(Shop, LiveServer.Password);
            await session.SayAsync($"MAIL FROM:<{Shop}>", "250");
            await session.SayAsync("RCPT TO:<bart@example.net>", "250");
            await session.SayAsync("DATA", "354");
            await session.SayAsync("Subject: x\r\n\r\nHello.\r\n.", "250");
            await session.SayAsync("MAIL FROM:<foreign@example.com>", "550");
        }

        Assert.Equal("acme", Assert.Single(await server.Host.Relay.Spool.ListAsync(QueueFilter.Everything, after: null, 10, Cancelled)).Envelope.Tenant);
        await server.Host.Relay.Audit.FlushAsync(Cancelled);
        foreach (var (kind, count) in new[] { ("auth", 1), ("policy", 2), ("mail", 1) })
        {
            var found = (await Run.JsonAsync("log", kind, "--tenant", "acme")).EnumerateArray().Where(static e => e.GetProperty("event").GetString() != "delivery").ToList();
            Assert.Equal((kind, count), (kind, found.Count));
            Assert.All(found, static e => Assert.Equal("acme", e.GetProperty("tenant").GetString()));
        }

        Assert.Equal("acme", Assert.Single((await Run.JsonAsync("queue", "list", "--tenant", "ACME")).GetProperty("items").EnumerateArray()).GetProperty("tenant").GetString());
        Assert.Empty((await Run.JsonAsync("queue", "list", "--tenant", "zeta")).GetProperty("items").EnumerateArray());
        var shops = await Run.JsonAsync("explain", "--client", "192.0.2.7", "--login", Shop, "--from", Shop, "--to", "bart@example.net");
        Assert.Equal(("* tenant acme", "acme"), (shops.GetProperty("route").GetProperty("route").GetString(), shops.GetProperty("decisions")[0].GetProperty("tenant").GetString()));
        var lisas = await Run.PosternAsync("explain", "--client", "192.0.2.7", "--login", LiveServer.User, "--from", LiveServer.User, "--to", "bart@example.net");
        Assert.Contains("not by route * tenant acme: it is for other tenants\nit goes to 127.0.0.1:2, by route *\n", lisas.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_is_given_to_a_tenant_and_taken_from_it_and_the_change_is_written_down()
    {
        await Run.PosternAsync("account", "add", Shop);

        Assert.Equal("account shop@example.org belongs to tenant acme now\n", (await Run.PosternAsync("account", "grant", Shop, "--tenant", "Acme")).Output);
        Assert.Contains("belongs to tenant acme already", (await Run.PosternAsync("account", "grant", Shop, "--tenant", "acme")).Output, StringComparison.Ordinal);
        Assert.Contains("belongs to tenant zeta now", (await Run.PosternAsync("account", "grant", Shop, "--tenant", "zeta")).Output, StringComparison.Ordinal);
        var wrong = await Run.PosternAsync("account", "revoke", Shop, "--tenant", "acme");
        Assert.Equal((ExitCode.No, "postern: account shop@example.org belongs to tenant zeta\n"), (wrong.ExitCode, wrong.Error));
        Assert.Contains("belongs to no tenant any more", (await Run.PosternAsync("account", "revoke", Shop, "--tenant", "zeta")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await Run.PosternAsync("account", "grant", Shop, "--tenant", "acme", "--domain", "example.net")).ExitCode);
        Assert.Equal(4, (await Run.JsonAsync("log", "admin")).GetArrayLength());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\r\nX: y")]
    public async Task A_tenant_is_a_word(string tenant)
    {
        var refused = await Run.PosternAsync("account", "add", Shop, "--tenant", tenant);

        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains("cannot be a tenant", refused.Error, StringComparison.Ordinal);
    }
}
