using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Sasl.Client;

namespace Postern.Interop.Tests.Server;

/// <summary>One session in clear, in which exchanges are made octet by octet.</summary>
internal sealed class SaslLine : IDisposable
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private readonly TcpClient client = new();
    private StreamReader? reader;

    public static async Task<SaslLine> ConnectAsync(int port)
    {
        var line = new SaslLine();
        await line.client.ConnectAsync(IPAddress.Loopback, port, Ct);
        line.reader = new StreamReader(line.client.GetStream(), Encoding.Latin1);
        await line.ReplyAsync();
        await line.SendAsync("EHLO client.test");
        return line;
    }

    /// <summary>Sends a line, and returns the last line of the reply.</summary>
    public async Task<string> SendAsync(string text)
    {
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text + "\r\n"), Ct);
        return await ReplyAsync();
    }

    public Task<string> SendAsync(ReadOnlyMemory<byte> response) => SendAsync(Convert.ToBase64String(response.Span));

    /// <summary>The challenge of a 334.</summary>
    public static byte[] Challenge(string reply)
    {
        Assert.StartsWith("334 ", reply, StringComparison.Ordinal);
        return Encoding.Latin1.GetBytes(reply[4..]) is { Length: > 0 } octets && Postern.Sasl.StrictBase64.TryDecode(octets, out var decoded) ? decoded : [];
    }

    /// <summary>Plays a whole exchange; the final reply, or what made the client give up.</summary>
    public async Task<string> PlayAsync(string mechanism, ISaslClientExchange exchange)
    {
        var reply = await SendAsync($"AUTH {mechanism}");
        while (reply.StartsWith("334 ", StringComparison.Ordinal))
        {
            switch (exchange.Next(Challenge(reply)))
            {
                case SaslClientStep.Response(var octets):
                    reply = await SendAsync(octets ?? default);
                    break;
                case SaslClientStep.Cancel(var reason):
                    await SendAsync("*");
                    return reason;
            }
        }

        return reply;
    }

    public void Dispose()
    {
        reader?.Dispose();
        client.Dispose();
    }

    private async Task<string> ReplyAsync()
    {
        while (await reader!.ReadLineAsync(Ct) is { } line)
        {
            if (line is [_, _, _, ' ', ..])
                return line;
        }

        throw new InvalidOperationException("the server closed the connection");
    }
}
