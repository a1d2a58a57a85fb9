using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Postern.Relay.Runtime;

namespace Postern.Web.Metrics;

/// <summary>
/// Tells whoever asks what a relay measures and how it is. It begins behind the listeners of mail; that it cannot begin is told, and mail
/// goes on.
/// </summary>
internal sealed class MetricsListener : IAsyncDisposable
{
    /// <summary>Whoever gathers keeps one connection open, and so does each probe.</summary>
    private const int MostConnections = 64;

    private const int MostBodyOctets = 1_024;

    private readonly MetricsExposition exposition;
    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private KestrelServer? kestrel;

    private MetricsListener(MetricsExposition exposition) => this.exposition = exposition;

    /// <summary>Where it listens, with the real port; null where it does not.</summary>
    public IPEndPoint? Endpoint { get; private set; }

    /// <param name="tell">Takes a word and its detail for the log.</param>
    /// <returns>Null where nobody is to be told anything, or it cannot begin, which <paramref name="tell"/> has heard.</returns>
    public static async Task<MetricsListener?> StartAsync(
        MetricsOptions options, RelayService relay, string version, Action<string, string> tell, CancellationToken ct)
    {
        if (options.IsOff)
            return null;
        MetricsListener? listener = null;
        try
        {
            var hostname = relay.Snapshot.Options.Hostname;
            relay.CountsTenants = options.Tenants;
            listener = new MetricsListener(new MetricsExposition(relay.Meters, options.Otlp, hostname, version));
            if (options.Listen is { } endpoint)
                await listener.ListenAsync(
                    endpoint,
                    new MetricsApplication(listener.exposition.Answer, () => relay.Health, [.. options.Hosts, hostname]),
                    ct);
            return listener;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            tell("metrics_unavailable", $"metrics and health are not told, and mail goes on: {options.Listen}: {e.Message}");
            if (listener is not null)
                await listener.DisposeAsync();
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (kestrel is not null)
        {
            using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await kestrel.StopAsync(now.Token);
            kestrel.Dispose();
        }

        await services.DisposeAsync();
        exposition.Dispose();
    }

    private async Task ListenAsync(IPEndPoint endpoint, MetricsApplication application, CancellationToken ct)
    {
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = MostConnections;
        options.Limits.MaxRequestBodySize = MostBodyOctets;
        ListenOptions? bound = null;
        options.Listen(endpoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            bound = listen;
        });
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        kestrel = new KestrelServer(Options.Create(options), sockets, NullLoggerFactory.Instance);
        await kestrel.StartAsync<HttpContext>(application, ct);
        Endpoint = bound?.IPEndPoint ?? endpoint;
    }
}
