using System.Net;
using System.Net.Sockets;
using Postern.Relay.Runtime.Instruments;
using Postern.Testing;
using Postern.Web.Health;

namespace Postern.Web.Tests.Metrics;

/// <summary>The listener for metrics and health: who is answered, and what.</summary>
public sealed class MetricsListenerTests(MeasuredThings measured)
{
    private static RelayHealth Well { get; } = new([], [], []);

    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost.evil.example:2589", HttpStatusCode.MisdirectedRequest)]
    [InlineData("127.0.0.1.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("LOCALHOST:1", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:2589", HttpStatusCode.OK)]
    [InlineData("192.0.2.7", HttpStatusCode.OK)]
    [InlineData("[::1]:2589", HttpStatusCode.OK)]
    [InlineData(MeasuredRelay.Hostname, HttpStatusCode.OK)]
    [InlineData("metrics.example.org:80", HttpStatusCode.OK)]
    public async Task Only_hosts_that_cannot_be_led_here_by_a_stranger_are_answered(string host, HttpStatusCode expected)
    {
        foreach (var path in (string[])["/metrics", "/livez", "/readyz", "/startupz"])
            Assert.Equal(expected, (await measured.Server.AskAsync(path, host)).Code);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/status")]
    [InlineData("/metrics/")]
    [InlineData("/METRICS/x")]
    [InlineData("/livez/x")]
    [InlineData("/%72eadyz/x")]
    public async Task Nothing_else_is_there(string path) => Assert.Equal(HttpStatusCode.NotFound, (await measured.Server.AskAsync(path)).Code);

    [Fact]
    public async Task Nothing_can_be_sent_there()
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Options])
            Assert.Equal(HttpStatusCode.MethodNotAllowed, (await measured.Server.AskAsync("/metrics", method: method)).Code);
        Assert.Equal((HttpStatusCode.OK, string.Empty), await measured.Server.AskAsync("/readyz", method: HttpMethod.Head));
    }

    [Fact]
    public async Task A_server_that_takes_mail_says_so()
    {
        foreach (var path in (string[])["/livez", "/readyz", "/startupz"])
            Assert.Equal((HttpStatusCode.OK, """{"status":"ok"}"""), await measured.Server.AskAsync(path));
    }

    /// <summary>It takes mail, so that nobody is sent elsewhere; but somebody should look.</summary>
    [Fact]
    public async Task Without_a_route_it_is_degraded_and_ready()
    {
        await using var server = await MeasuredRelay.StartAsync(hasRoutes: false);
        Assert.Equal((HttpStatusCode.OK, """{"status":"degraded","problems":["no route"]}"""), await server.AskAsync("/readyz"));
        Assert.Equal((HttpStatusCode.OK, """{"status":"ok"}"""), await server.AskAsync("/startupz"));
    }

    [Fact]
    public async Task A_server_that_stops_is_alive_and_not_ready()
    {
        await using var server = await MeasuredRelay.StartAsync();
        await server.Relay.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"status":"failed","problems":["stopping"]}"""), await server.AskAsync("/readyz"));
        Assert.Equal(HttpStatusCode.OK, (await server.AskAsync("/livez")).Code);
    }

    [Fact]
    public async Task A_port_in_use_is_told_and_mail_goes_on()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var place = (IPEndPoint)taken.LocalEndPoint!;
        await using var server = await MeasuredRelay.StartAsync(listen: place);
        Assert.Null(server.Endpoint);
        var (what, detail) = Assert.Single(server.Told);
        Assert.Equal("metrics_unavailable", what);
        Assert.Contains(place.ToString(), detail, StringComparison.Ordinal);
        await server.SendAsync("bob@taken.example");
    }

    /// <summary>What has been counted is sent once more at the end.</summary>
    [Fact]
    public async Task A_collector_is_sent_the_same()
    {
        await using var collector = new WebServer(static _ => new WebReply(200, string.Empty, "application/x-protobuf"));
        await using (var server = await MeasuredRelay.StartAsync(otlp: new Uri($"http://127.0.0.1:{collector.Port}/v1/metrics")))
            await server.SendAsync("bob@taken.example");

        var sent = collector.Asked[^1];
        Assert.Equal(("POST", "/v1/metrics"), (sent.Method, sent.Path));
        Assert.Contains("postern.messages.accepted", sent.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("bob", sent.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_restart_would_mend_is_not_live_and_what_it_would_not_is_only_a_problem()
    {
        var stuck = Well with { Stuck = ["spool"], NotReady = ["directory"], Problems = ["store ldap"] };
        Assert.Equal((503, "failed"), (HealthPage.At("/livez", stuck)!.Code, HealthPage.At("/livez", stuck)!.Status));
        Assert.Equal(["spool"], HealthPage.At("/livez", stuck)!.Problems);
        Assert.Equal(["directory"], HealthPage.At("/readyz", stuck)!.Problems);
        var degraded = Well with { Problems = ["store ldap"] };
        Assert.Equal((200, "degraded"), (HealthPage.At("/livez", degraded)!.Code, HealthPage.At("/livez", degraded)!.Status));
        Assert.Equal((200, "ok"), (HealthPage.At("/startupz", stuck)!.Code, HealthPage.At("/startupz", stuck)!.Status));
        Assert.Null(HealthPage.At("/healthz", Well));
    }
}
