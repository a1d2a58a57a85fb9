using System.Net;
using System.Net.Sockets;
using Postern.Configuration;

namespace Postern.Tests.Hosting;

/// <summary>The section <c>metrics</c> of a whole server.</summary>
public sealed class MetricsLiveTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_follow_the_configuration_and_a_port_in_use_stops_no_mail()
    {
        await using var server = new LiveServer();
        await server.StartAsync();
        Assert.Null(server.Host.MetricsEndpoint);

        await server.ReloadAsync(LiveServer.Listeners + "metrics: { listen: '127.0.0.1:0' }\n");
        var place = server.Host.MetricsEndpoint!;
        using var http = new HttpClient();
        Assert.Contains("postern_ready{} 1\n", await http.GetStringAsync(new Uri($"http://{place}/metrics"), Ct), StringComparison.Ordinal);

        await server.ReloadAsync(LiveServer.Listeners + "metrics: { listen: '127.0.0.1:0' }\ndomains: [example.net]\n");
        Assert.Equal(place, server.Host.MetricsEndpoint);

        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        await server.ReloadAsync(LiveServer.Listeners + $"metrics: {{ listen: '{taken.LocalEndPoint}' }}\n");
        Assert.Null(server.Host.MetricsEndpoint);
        await using (var client = await server.ConnectAsync())
            await client.SayAsync("QUIT", "221");
        await server.FlushLogAsync();
        Assert.Contains("metrics_unavailable", (await server.Run.PosternAsync("log", "server")).Output, StringComparison.Ordinal);

        await server.ReloadAsync(LiveServer.Listeners);
        Assert.Null(server.Host.MetricsEndpoint);
    }

    [Theory]
    [InlineData("metrics: { listen: here }\n", "postern.yaml:1:20: metrics.listen: 'here' is not right here; expected ")]
    [InlineData("metrics: { otlp: 'ftp://collector.example' }\n", "postern.yaml:1:18: metrics.otlp: 'ftp://collector.example' is not right here; expected http://host:port or https://host:port")]
    [InlineData("metrics: { otlp: 'http://user:secret@collector.example' }\n", "postern.yaml:1:18: metrics.otlp: ")]
    [InlineData("metrics: { tenants: some }\n", "postern.yaml:1:21: metrics.tenants: 'some' is not right here; expected 'true' or 'false'")]
    [InlineData("metrics: { hosts: ['http://x'] }\n", "postern.yaml:1:20: metrics.hosts[0]: 'http://x' is not right here; expected ")]
    public void What_is_wrong_is_said_at_its_place(string text, string expected)
    {
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(ConfigurationFile.Parse("postern.yaml", "/", text)).Errors);
        Assert.StartsWith(expected, error.ToString(), StringComparison.Ordinal);
    }
}
