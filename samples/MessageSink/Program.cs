using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Samples;

// A test as you would write it: start a sink, let the code under test send, wait for the message, look at it.
await using var sink = await MessageSink.StartAsync();

using var socket = new TcpClient { NoDelay = true };
await socket.ConnectAsync(sink.Endpoint);
await using var client = new SmtpClientDialogue(socket.GetStream(), new SmtpClientOptions { Hostname = Domain.Parse("client.example"), Tls = ClientTls.None });
await client.OpenAsync(CancellationToken.None);
var content = MessageContent.From("Subject: Welcome\r\n\r\nGood to have you.\r\n"u8.ToArray());
await client.SendAsync(
    new OutgoingMessage(new ReversePath(Mailbox.Parse("shop@example.org")), [Mailbox.Parse("bart@example.net")], content), following: null, CancellationToken.None);
await client.QuitAsync(CancellationToken.None);

var bart = Mailbox.Parse("bart@example.net");
var message = await sink.WaitForMessageAsync(m => m.Recipients.Contains(bart), TimeSpan.FromSeconds(10));
var text = Encoding.ASCII.GetString(message.Content.Span);
Console.WriteLine(text);
return text.StartsWith("Subject: Welcome\r\n", StringComparison.Ordinal) ? 0 : 1;
