using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A wire to a server: it passes what comes, or it is lost and nobody hears of it, or connections are refused.</summary>
internal sealed class CutWire : IDisposable
{
    private readonly Lock gate = new();
    private readonly List<TcpClient> open = [];
    private TcpListener? listener;
    private volatile bool swallows;
    private int port;

    public int Port => port;

    public int To { get; set; }

    /// <summary>For connections from now on; those that were lost stay lost.</summary>
    public void Pass()
    {
        swallows = false;
        if (listener is not null)
            return;
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = AcceptAsync(listener);
    }

    public void Swallow() => swallows = true;

    public void Refuse()
    {
        listener?.Stop();
        listener = null;
        lock (gate)
        {
            open.ForEach(static c => c.Dispose());
            open.Clear();
        }
    }

    public void Dispose() => Refuse();

    private async Task AcceptAsync(TcpListener on)
    {
        try
        {
            while (true)
            {
                var client = await on.AcceptTcpClientAsync();
                var server = new TcpClient();
                lock (gate)
                    open.AddRange([client, server]);
                _ = CarryAsync(client, server);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is refused from now on.
        }
    }

    private async Task CarryAsync(TcpClient client, TcpClient server)
    {
        try
        {
            if (!swallows)
                await server.ConnectAsync(IPAddress.Loopback, To);
            var isLost = swallows;
            if (isLost)
                return; // the connection stays, and nobody answers
            await Task.WhenAny(CopyAsync(client, server), CopyAsync(server, client));
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // Its end is the end of both.
        }

        if (!swallows)
        {
            client.Dispose();
            server.Dispose();
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[8192];
        while (await from.GetStream().ReadAsync(buffer) is > 0 and var read)
        {
            if (swallows)
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
            await to.GetStream().WriteAsync(buffer.AsMemory(0, read));
        }
    }
}
