using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Postern.Relay.Tests.Audit.Onward;

/// <summary>A syslog server of which a test takes each connection by hand.</summary>
internal sealed class SyslogPeer : IDisposable
{
    private TcpListener listener = new(IPAddress.Loopback, 0);

    public SyslogPeer() => listener.Start();

    public int Port { get; private set; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static SyslogPeer Start()
    {
        var peer = new SyslogPeer();
        peer.Port = ((IPEndPoint)peer.listener.LocalEndpoint).Port;
        return peer;
    }

    /// <summary>Nobody listens at the port until <see cref="GoUp"/>.</summary>
    public void GoDown() => listener.Dispose();

    public void GoUp()
    {
        listener = new TcpListener(IPAddress.Loopback, Port);
        listener.Start();
    }

    public async Task<TcpClient> AcceptAsync() => await listener.AcceptTcpClientAsync(Ct);

    /// <summary>A frame with its length before it (RFC 6587 §3.4.1).</summary>
    public static async Task<string> ReadAsync(Stream stream)
    {
        var length = 0;
        var one = new byte[1];
        await stream.ReadExactlyAsync(one, Ct);
        for (; one[0] != ' '; await stream.ReadExactlyAsync(one, Ct))
        {
            Assert.InRange(one[0], (byte)'0', (byte)'9');
            length = (length * 10) + one[0] - '0';
        }

        var frame = new byte[length];
        await stream.ReadExactlyAsync(frame, Ct);
        return Encoding.UTF8.GetString(frame);
    }

    public void Dispose() => listener.Dispose();
}
