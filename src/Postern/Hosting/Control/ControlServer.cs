using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Postern.Machine;

namespace Postern.Hosting.Control;

/// <summary>
/// The Unix socket in the data directory, mode 0660, by which the command line asks. Kestrel without a host: nothing is needed of it but
/// the protocol, and the rest would cost start-up time.
/// </summary>
internal sealed class ControlServer : IAsyncDisposable
{
    /// <summary>The kernel's limit of a socket's path, the final NUL taken off.</summary>
    private const int MaxPathOctets = 107;

    private const int MaxBodyOctets = 256 * 1024;
    private const int MaxCallers = 32;

    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite;

    private readonly KestrelServer kestrel;
    private readonly ServiceProvider services;

    private ControlServer(KestrelServer kestrel, ServiceProvider services)
    {
        this.kestrel = kestrel;
        this.services = services;
    }

    /// <summary>Null when a socket of this name can be made.</summary>
    public static Problem? WhyNot(string path) =>
        Encoding.UTF8.GetByteCount(path) > MaxPathOctets
            ? new($"the path {path} is too long for a socket: at most {MaxPathOctets} octets", "Set server.data to a shorter path.")
            : null;

    /// <summary>Listens. A socket file that an earlier server left is replaced: only the holder of the spool's lock comes here.</summary>
    public static async Task<ControlServer> StartAsync(string path, IHttpApplication<HttpContext> application, CancellationToken ct)
    {
        File.Delete(path);
        var none = new ServiceCollection().BuildServiceProvider();
        var options = new KestrelServerOptions { ApplicationServices = none, AddServerHeader = false };
        options.Limits.MaxRequestBodySize = MaxBodyOctets;
        options.Limits.MaxConcurrentConnections = MaxCallers;
        options.ListenUnixSocket(path, static listen => listen.Protocols = HttpProtocols.Http1);
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var server = new ControlServer(new KestrelServer(Options.Create(options), sockets, NullLoggerFactory.Instance), none);
        try
        {
            await server.kestrel.StartAsync(application, ct);
            File.SetUnixFileMode(path, OwnerAndGroup);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
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
