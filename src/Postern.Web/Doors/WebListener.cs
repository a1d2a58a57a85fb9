using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Postern.Web.Doors;

/// <summary>The ports of the console and the API.</summary>
internal sealed class WebListener : IAsyncDisposable
{
    private const int MostBodyOctets = 256 * 1024;
    private const int MostHeaderOctets = 16 * 1024;
    private const int MostConnections = 1_024;

    private readonly KestrelServer kestrel;
    private readonly ServiceProvider services;

    private WebListener(KestrelServer kestrel, ServiceProvider services) => (this.kestrel, this.services) = (kestrel, services);

    /// <summary>What it is bound to, with the real ports.</summary>
    public ImmutableArray<IPEndPoint> Endpoints { get; private set; } = [];

    /// <exception cref="IOException">A port is in use.</exception>
    public static async Task<WebListener> StartAsync(WebOptions options, IHttpApplication<HttpContext> application, CancellationToken ct)
    {
        var none = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).BuildServiceProvider();
        var settings = new KestrelServerOptions { ApplicationServices = none, AddServerHeader = false };
        settings.Limits.MaxRequestBodySize = MostBodyOctets;
        settings.Limits.MaxRequestHeadersTotalSize = MostHeaderOctets;
        settings.Limits.MaxConcurrentConnections = MostConnections;
        settings.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        settings.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, TimeSpan.FromSeconds(5));
        var bound = new List<ListenOptions>();
        foreach (var endpoint in options.Listen)
        {
            settings.Listen(endpoint, listen =>
            {
                bound.Add(listen);
                listen.Protocols = options.Tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
                if (options.Tls is { } tls)
                    listen.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        OnConnection = hello => new(new SslServerAuthenticationOptions
                        {
                            ServerCertificateContext = tls.ContextFor(hello.ClientHelloInfo.ServerName),
                            EnabledSslProtocols = tls.Protocols,
                            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                        }),
                    });
            });
        }

        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var listener = new WebListener(new KestrelServer(Options.Create(settings), sockets, NullLoggerFactory.Instance), none);
        try
        {
            await listener.kestrel.StartAsync(application, ct);
            listener.Endpoints = [.. bound.Select(static one => one.IPEndPoint!)];
            return listener;
        }
        catch
        {
            await listener.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await kestrel.StopAsync(now.Token);
        kestrel.Dispose();
        await services.DisposeAsync();
    }
}
