using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A session in clear from one of the addresses of the loopback network.</summary>
internal sealed class PlainClient(Socket socket, NetworkStream stream) : IDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public StreamReader Reader { get; } = new(stream, Encoding.Latin1);

    /// <summary>Connects and says hello.</summary>
    public static async Task<PlainClient> GreetAsync(IPEndPoint server, string from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(server, Ct);
        var client = new PlainClient(socket, new NetworkStream(socket));
        await client.Reader.ReadLineAsync(Ct);
        await client.SendAsync("EHLO client.example");
        while (await client.Reader.ReadLineAsync(Ct) is ['2', '5', '0', '-', ..])
        {
        }

        return client;
    }

    /// <summary>Says hello and sends a login by PLAIN, without waiting for the answer.</summary>
    public static async Task<PlainClient> BeginAsync(IPEndPoint server, string from, string user, string password)
    {
        var client = await GreetAsync(server, from);
        await client.SendAsync($"AUTH PLAIN {Convert.ToBase64String(Encoding.ASCII.GetBytes($"\0{user}\0{password}"))}");
        return client;
    }

    public ValueTask SendAsync(string line) => stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), Ct);

    public void Dispose()
    {
        Reader.Dispose();
        stream.Dispose();
        socket.Dispose();
    }
}
