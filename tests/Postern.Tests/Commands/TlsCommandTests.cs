using System.Net;
using System.Net.Sockets;
using Postern.Commands.Output;

namespace Postern.Tests.Commands;

public sealed class TlsCommandTests
{
    /// <summary>A port where nobody is: its holder says nothing, and is no resolver.</summary>
    private static string Configuration(Socket nobody) =>
        $"server: {{ hostname: mail.example.org, data: data }}\ndelivery: {{ dns: {{ servers: [\"{nobody.LocalEndPoint}\"] }}, tls: {{ default: mta-sts, policies: [{{ to: bank.example, level: dane }}] }} }}\n";

    [Fact]
    public async Task A_domain_that_mail_would_wait_for_is_exit_1_with_the_policy_and_the_reason()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var run = new CommandRun(Configuration(nobody));

        var said = await run.PosternAsync("tls", "check", "bank.example");
        var json = await run.JsonAsync("tls", "check", "other.example");

        Assert.Equal(ExitCode.No, said.ExitCode);
        Assert.Contains("would wait for a route", said.Output, StringComparison.Ordinal);
        Assert.Contains("dane, required (delivery.tls.policies to bank.example)", said.Output, StringComparison.Ordinal);
        Assert.Contains($"DNS: MX of bank.example asked of {nobody.LocalEndPoint}", said.Output, StringComparison.Ordinal);
        Assert.Equal(("mta-sts, otherwise opportunistic (delivery.tls.default)", false), (json.GetProperty("policy").GetString(), json.GetProperty("wouldGo").GetBoolean()));
    }

    [Fact]
    public async Task By_a_route_that_has_no_server_mail_goes_without_a_look_into_dns()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\ndelivery:\n  routes:\n  - { to: example.net, via: 'discard:' }\n  - { to: example.com, via: 'error:550 5.1.1 Gone' }\n");

        var gone = await run.PosternAsync("tls", "check", "example.net");
        var returned = await run.JsonAsync("tls", "check", "example.com");

        Assert.Equal((ExitCode.Ok, string.Empty), (gone.ExitCode, gone.Error));
        Assert.Contains("that of the route", gone.Output, StringComparison.Ordinal);
        Assert.Contains("would go to discard:", gone.Output, StringComparison.Ordinal);
        Assert.Equal((false, true), (returned.GetProperty("wouldGo").GetBoolean(), returned.GetProperty("wouldBeReturned").GetBoolean()));
    }

    [Fact]
    public async Task What_is_no_domain_is_wrong_usage()
    {
        using var run = new CommandRun();

        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("tls", "check", "a b")).ExitCode);
    }

    [Fact]
    public async Task Check_says_where_dane_can_never_apply()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\ndelivery:\n  dns: { servers: [192.0.2.53] }\n  tls: { default: dane }\n");

        var check = await run.PosternAsync("check");

        Assert.Contains("dane, otherwise opportunistic (delivery.tls.default)", check.Output, StringComparison.Ordinal);
        Assert.Contains("postern.yaml:4:", check.Error, StringComparison.Ordinal);
        Assert.Contains("DANE needs a resolver that validates DNSSEC, and the word of 192.0.2.53:53 does not count", check.Error, StringComparison.Ordinal);
    }
}
