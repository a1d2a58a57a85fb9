using System.Net;
using Microsoft.AspNetCore.Connections;
using Postern.Smtp;
using Postern.Smtp.Transport;

namespace KestrelAdapter;

/// <summary>Hands each connection of an endpoint to the SMTP server.</summary>
internal sealed class SmtpConnectionHandler(SmtpServer server) : ConnectionHandler
{
    private static readonly SmtpListenerOptions Submission = new() { Name = "submission", Tls = TlsMode.StartTls };

    public override Task OnConnectedAsync(ConnectionContext connection) => server.ServeAsync(
        new DuplexPipeStream(connection.Transport),
        connection.RemoteEndPoint ?? new IPEndPoint(IPAddress.None, 0),
        Submission,
        connection.ConnectionClosed);
}
