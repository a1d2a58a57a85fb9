using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Postern.Smtp.Transport;

namespace Postern.Web.Doors;

/// <summary>The ports of the console and the API.</summary>
internal sealed class WebListener : IAsyncDisposable
{
    private const int MostBodyOctets = 256 * 1024;
    private const int MostHeaderOctets = 16 * 1024;
    private const int MostConnections = 1_024;

    private readonly WebApplication host;

    private WebListener(WebApplication host) => this.host = host;

    /// <summary>What it is bound to, with the real ports.</summary>
    public ImmutableArray<IPEndPoint> Endpoints { get; private set; } = [];

    /// <exception cref="IOException">A port is in use.</exception>
    public static async Task<WebListener> StartAsync(WebOptions options, IHttpApplication<HttpContext> application, CancellationToken ct)
    {
        var bound = new List<ListenOptions>();
        // The host lends the server what it needs for TLS, and is never started itself.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBodyOctets;
            kestrel.Limits.MaxRequestHeadersTotalSize = MostHeaderOctets;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, TimeSpan.FromSeconds(5));
            foreach (var endpoint in options.Listen)
                kestrel.Listen(endpoint, listen =>
                {
                    bound.Add(listen);
                    Configure(listen, options.Tls);
                });
        });
        var listener = new WebListener(builder.Build());
        try
        {
            await listener.host.Services.GetRequiredService<IServer>().StartAsync(application, ct);
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
        await host.Services.GetRequiredService<IServer>().StopAsync(now.Token);
        await host.DisposeAsync();
    }

    private static void Configure(ListenOptions listen, TlsOptions? tls)
    {
        listen.Protocols = tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
        if (tls is not null)
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = hello => new(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = tls.ContextFor(hello.ClientHelloInfo.ServerName),
                    EnabledSslProtocols = tls.Protocols,
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                }),
            });
    }
}
