using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Tests.Client;

/// <summary>What a client makes of a connection that breaks under its own writing.</summary>
public sealed class BrokenWireTests
{
    private const string Open = "220 hop\r\n250 hop\r\n";

    private static readonly SmtpClientOptions Options = new() { Hostname = Domain.Parse("client.test"), ServerName = "hop.test" };

    private static readonly OutgoingMessage Message = new(ReversePath.Null, [Mailbox.Parse("b@there.test")], MessageContent.From("x\r\n"u8.ToArray()));

    private static async Task<ClientAnswer> EndAsync(string lastWords)
    {
        var stream = new ScriptedStream(Encoding.ASCII.GetBytes(Open + "250 sender\r\n250 recipient\r\n354 go\r\n" + lastWords), piece: 4096)
        {
            WriteFailure = static written => written.Span.EndsWith("\r\n.\r\n"u8) ? new IOException("reset", new SocketException((int)SocketError.ConnectionReset)) : null,
        };
        await using var dialogue = new SmtpClientDialogue(stream, Options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        return (await dialogue.SendAsync(Message, following: null, CancellationToken.None))[0];
    }

    [Fact]
    public async Task A_write_of_the_end_mark_that_fails_may_have_delivered() =>
        Assert.Equal(ClientPhase.EndOfData, Assert.IsType<ClientAnswer.Broken>(await EndAsync(string.Empty)).Phase);

    [Fact]
    public async Task What_the_server_said_to_the_end_mark_before_it_left_counts()
    {
        Assert.IsType<ClientAnswer.Accepted>(await EndAsync("250 taken\r\n"));
        Assert.IsType<ClientAnswer.Refused>(await EndAsync("552 too big\r\n"));
    }

    [Fact]
    public async Task A_handshake_says_what_the_system_threw()
    {
        var shortage = new IOException("Too many open files", 24);
        const string Hello = "220 hop\r\n250-hop\r\n250 STARTTLS\r\n";
        var stream = new ScriptedStream(Encoding.ASCII.GetBytes(Hello + "220 go\r\n"), piece: 4096, "220 hop\r\n".Length, Hello.Length)
        {
            WriteFailure = written => written.Span is [0x16, ..] ? shortage : null,
        };
        await using var dialogue = new SmtpClientDialogue(stream, Options);

        var broken = Assert.IsType<ClientAnswer.Broken>(await dialogue.OpenAsync(CancellationToken.None));

        Assert.Equal((ClientPhase.StartTls, ClientFault.TlsFailed), (broken.Phase, broken.Fault));
        Assert.Same(shortage, broken.Cause is { InnerException: { } inner } ? inner : broken.Cause);
    }
}
