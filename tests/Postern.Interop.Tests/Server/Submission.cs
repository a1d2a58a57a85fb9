using System.Net;
using System.Net.Sockets;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>One message of <see cref="PosternHome.User"/> to a running <c>postern serve</c>.</summary>
internal static class Submission
{
    public const string Content = "Subject: hello\r\n\r\nbody\r\n";

    public static async Task SubmitAsync(PosternProcess postern, params string[] recipients)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, postern["plain"].Port));
        await using var dialogue = new SmtpClientDialogue(new NetworkStream(socket, ownsSocket: true), new SmtpClientOptions { Hostname = Domain.Parse("client.test") });
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        var login = new ClientLogin(new SaslClientCredentials { User = PosternHome.User, Password = new Secret(PosternHome.Password) });
        Assert.IsType<ClientLoginAnswer.Accepted>(await dialogue.LogInAsync(login, CancellationToken.None));
        var message = new OutgoingMessage(new ReversePath(Mailbox.Parse(PosternHome.User)), [.. recipients.Select(Mailbox.Parse)], new ByteContent(Content));
        Assert.All(await dialogue.SendAsync(message, following: null, CancellationToken.None), static answer => Assert.IsType<ClientAnswer.Accepted>(answer));
        await dialogue.QuitAsync(CancellationToken.None);
    }
}
