using System.Net;
using System.Net.Sockets;
using Postern.Commands.Output;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

public sealed class ShapingCommandTests
{
    private const string Shaping = "entries:\n  - mx: relay.example.net\n    messages: 20/s burst 5\n    connections: 3\n  - { tenant: acme, messages: 5/1h }\n  - { route: '*', connections: 9 }\n";

    [Fact]
    public async Task Every_value_is_told_with_its_line_and_what_it_stands_over()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\ndelivery: { shaping: shaping.yaml, routes: [{ to: '*', via: 'smtp://relay.example.net' }] }\n");
        await File.WriteAllTextAsync(Path.Combine(run.Root, "shaping.yaml"), Shaping, TestContext.Current.CancellationToken);
        var said = await run.PosternAsync("shaping", "explain", "example.com", "--tenant", "acme");

        Assert.Equal(ExitCode.Ok, said.ExitCode);
        foreach (var part in (string[])["relay.example.net:25", "20/s burst 5", "shaping.yaml:3", "5/1h", "tenant acme", "over 9 of route * (", "shaping.yaml:6)", "30m", "delivery.retry.first", "no server is running on"])
            Assert.Contains(part, said.Output, StringComparison.Ordinal);

        var json = await run.JsonAsync("shaping", "explain", "example.com");
        Assert.Equal(["20/s burst 5"], json.GetProperty("values").EnumerateArray().Where(static v => v.GetProperty("key").GetString() == "messages").Select(static v => v.GetProperty("value").GetString()));
        Assert.False(json.GetProperty("isServers").GetBoolean());
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("shaping", "explain", "a b")).ExitCode);
    }

    [Fact]
    public async Task An_entry_for_a_domain_that_a_route_serves_is_told_of_by_check_and_by_explain()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\ndelivery: { shaping: shaping.yaml, routes: [{ to: '*' }, { to: .example.net, via: 'smtp://relay.example.net' }] }\n");
        await File.WriteAllTextAsync(Path.Combine(run.Root, "shaping.yaml"), "entries:\n  - { domain: sub.example.net, messages: 20/min }\n  - { domain: example.com, messages: 20/min }\n", TestContext.Current.CancellationToken);

        var check = await run.PosternAsync("check");
        var said = await run.PosternAsync("shaping", "explain", "sub.example.net");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        Assert.Contains("shaping.yaml:2: 'domain: sub.example.net' is for mail to its exchangers, and mail to sub.example.net goes by route .example.net: 'route: \".example.net\"' is meant\n", Assert.Single(check.Error.Split("warning: ").Skip(1)), StringComparison.Ordinal);
        Assert.Contains("'route: .example.net' would count", said.Output, StringComparison.Ordinal);
        Assert.Contains("domain sub.example.net (", said.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_looked_up_is_said_and_all_else_all_the_same()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var run = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\ndelivery: {{ dns: {{ servers: [\"{nobody.LocalEndPoint}\"] }}, routes: [{{ to: '*' }}] }}\n");
        var said = await run.PosternAsync("shaping", "explain", "example.com");

        Assert.Contains($"DNS: MX of example.com asked of {nobody.LocalEndPoint}", said.Output, StringComparison.Ordinal);
        Assert.Contains("entries for hosts are not among what follows", said.Output, StringComparison.Ordinal);
        Assert.Contains("built in", said.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_server_is_asked_and_says_what_is_slowed_now()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        var said = await run.PosternAsync("shaping", "explain", "example.com");

        Assert.Contains("mx.test:25: it is slow; that is over in 0 s, at 1970-01-01", said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("no server is running", said.Output, StringComparison.Ordinal);
    }
}
