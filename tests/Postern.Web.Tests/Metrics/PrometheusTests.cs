using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Web.Tests.Metrics;

/// <summary>Debian's Prometheus, with the alerts that ship, scrapes a server.</summary>
public sealed class PrometheusTests
{
    private const string Program = "/usr/bin/prometheus";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Prometheus_scrapes_a_server_and_answers_with_what_it_counted()
    {
        Assert.SkipUnless(File.Exists(Program), "prometheus is not installed");
        await using var server = await MeasuredRelay.StartAsync();
        var directory = Directory.CreateTempSubdirectory("postern-prometheus-");
        try
        {
            var port = FreePort();
            var configuration = Path.Combine(directory.FullName, "prometheus.yml");
            await File.WriteAllTextAsync(
                configuration,
                $"""
                global: {"{"} scrape_interval: 1s, evaluation_interval: 1s {"}"}
                rule_files: ["{SourceTree.PathOf("contrib/prometheus/postern.rules.yaml")}"]
                scrape_configs:
                  - job_name: postern
                    static_configs: [{"{"} targets: ["{server.Endpoint}"] {"}"}]
                """,
                Ct);
            await using var prometheus = RunningProgram.Start(
            [
                Program,
                $"--config.file={configuration}",
                $"--storage.tsdb.path={Path.Combine(directory.FullName, "data")}",
                string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
            ]);
            await server.SendAsync("bob@taken.example", "eve@taken.example");

            using var http = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")) };
            Assert.Equal(2, await AskUntilAsync(http, prometheus, "sum(postern_messages_accepted_total)"));
            Assert.Equal(1, await AskUntilAsync(http, prometheus, "up"));
            Assert.Equal(1, await AskUntilAsync(http, prometheus, "postern_ready"));
            using var alerts = JsonDocument.Parse(await http.GetStringAsync(new Uri("api/v1/rules", UriKind.Relative), Ct));
            Assert.All(
                alerts.RootElement.GetProperty("data").GetProperty("groups")[0].GetProperty("rules").EnumerateArray(),
                static rule => Assert.NotEqual("err", rule.GetProperty("health").GetString()));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>The value of the first sample that there is.</summary>
    private static async Task<double> AskUntilAsync(HttpClient http, RunningProgram prometheus, string query)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await looks.WaitForNextTickAsync(patience.Token))
        {
            Assert.False(prometheus.HasExited, prometheus.Error.Text);
            try
            {
                var address = new Uri($"api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative);
                using var answer = JsonDocument.Parse(await http.GetStringAsync(address, patience.Token));
                if (answer.RootElement.GetProperty("data").GetProperty("result") is { } result && result.GetArrayLength() > 0)
                    return double.Parse(result[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
            }
            catch (HttpRequestException)
            {
                // It does not listen yet, or is not ready to answer.
            }
        }

        return double.NaN;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
