using System.Net;
using System.Net.Sockets;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Web.Metrics;

namespace Postern.Web.Tests.Metrics;

/// <summary>A relay with a listener for metrics, in this process. It delivers to nobody but itself and closed ports of this machine.</summary>
internal sealed class MeasuredRelay : IAsyncDisposable
{
    public const string Hostname = "mail.example.org";

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-metrics-");
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromMinutes(2) };
    private MetricsListener? metrics;
    private RelayService? relay;

    private MeasuredRelay()
    {
    }

    public RelayService Relay => relay!;

    /// <summary>What was said of the listener, each as word and detail.</summary>
    public List<(string What, string Detail)> Told { get; } = [];

    /// <summary>Null where it could not be had.</summary>
    public IPEndPoint? Endpoint => metrics?.Endpoint;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="listen">Where metrics are; null for a free port.</param>
    /// <param name="otlp">A collector; null for none.</param>
    public static async Task<MeasuredRelay> StartAsync(IPEndPoint? listen = null, bool hasRoutes = true, bool tenants = false, Uri? otlp = null)
    {
        var made = new MeasuredRelay();
        try
        {
            made.relay = await RelayService.StartAsync(made.Options(hasRoutes), TimeProvider.System);
            made.metrics = await MetricsListener.StartAsync(
                new MetricsOptions(listen ?? new IPEndPoint(IPAddress.Loopback, 0), otlp, ["metrics.example.org"]) { Tenants = tenants },
                made.relay,
                "0.0.0",
                (what, detail) => made.Told.Add((what, detail)),
                Ct);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    public Task<SmtpDialogue> ConnectAsync() => SmtpDialogue.GreetAsync(Relay.Endpoints[0].Endpoint);

    /// <param name="host">In the Host field; null for the address.</param>
    public async Task<(HttpStatusCode Code, string Text)> AskAsync(string path, string? host = null, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri($"http://{Endpoint}{path}"));
        request.Headers.Host = host;
        using var response = await http.SendAsync(request, Ct);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Every line of /metrics with a series, in its order; what was counted before the last scrape is in it.</summary>
    public async Task<IReadOnlyList<Series>> ScrapeAsync()
    {
        while (true)
        {
            var (code, text) = await AskAsync("/metrics");
            Assert.Equal(HttpStatusCode.OK, code);
            // Answers are kept for a moment: one that was made before the question is not the answer to it.
            if (Series.Read(text) is { Count: > 0 } series)
                return series;
        }
    }

    /// <summary>Asks until the series say so.</summary>
    public async Task<IReadOnlyList<Series>> ScrapeUntilAsync(Func<IReadOnlyList<Series>, bool> isSo)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            var series = await ScrapeAsync();
            if (isSo(series))
                return series;
            if (late.IsCancellationRequested)
                Assert.Fail(string.Join('\n', series.Select(static one => one.Shape).Distinct(StringComparer.Ordinal)));
            await Task.Yield();
        }
    }

    /// <summary>Sends a message to each, by TLS, and waits until each recipient has been tried.</summary>
    public async Task SendAsync(params string[] recipients)
    {
        using var watched = Relay.Live.Subscribe(new AuditQuery { Kinds = AuditKind.Mail });
        await using (var client = await ConnectAsync())
        {
            await client.StartTlsAsync();
            foreach (var recipient in recipients)
                Assert.StartsWith("250", await client.SendAsync("lisa@example.org", recipient, "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
            await client.SayAsync("QUIT", "221");
        }

        var open = recipients.ToHashSet(StringComparer.Ordinal);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        late.CancelAfter(TimeSpan.FromMinutes(2));
        await foreach (var live in watched.ReadAsync(late.Token))
        {
            if (live is LiveEvent.Happened(DeliveryEvent tried) && open.Remove(tried.Recipient) && open.Count == 0)
                return;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (relay is not null)
            await relay.DisposeAsync();
        if (metrics is not null)
            await metrics.DisposeAsync();
        http.Dispose();
        directory.Delete(recursive: true);
    }

    private RelayOptions Options(bool hasRoutes) => new()
    {
        Hostname = Hostname,
        DataDirectory = directory.FullName,
        Tls = new TlsOptions(TestCertificate.Instance),
        Listeners =
        [
            new SmtpListenerOptions { Name = "submission", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Auth = AuthMode.Always },
        ],
        Policy = new PolicyOptions
        {
            Networks = [IPNetwork.Parse("127.0.0.0/8")],
            SenderRules = [],
            RecipientRules = ["permit_networks", "reject_unauth_destination"],
        },
        Delivery = new DeliveryOptions
        {
            Hostname = Domain.Parse(Hostname),
            Resolvers = [new IPEndPoint(IPAddress.Loopback, ClosedPort(SocketType.Dgram, ProtocolType.Udp))],
            ResolverTimeout = TimeSpan.FromSeconds(1),
            Routes = hasRoutes
                ? ((RouteParse.Ok)RouteTable.Parse(
                [
                    new Route("taken.example", "discard:"),
                    new Route("closed.example", $"smtp://127.0.0.1:{ClosedPort(SocketType.Stream, ProtocolType.Tcp)}?tls=none") { Logins = [] },
                ])).Table
                : RouteTable.Hold,
        },
    };

    private static int ClosedPort(SocketType type, ProtocolType protocol)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
