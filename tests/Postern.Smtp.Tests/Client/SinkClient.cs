using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Client;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>Connects dialogues to sinks of the test.</summary>
internal static class SinkClient
{
    public static async Task<SmtpClientDialogue> ConnectAsync(ScriptedSink sink, SmtpClientOptions options)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, sink.Port));
        return new SmtpClientDialogue(new NetworkStream(socket, ownsSocket: true), options);
    }
}
