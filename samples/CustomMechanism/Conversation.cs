using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Samples;

/// <summary>A client that says what it is told to, shows the dialogue, and throws at a reply that was not expected.</summary>
internal sealed class Conversation : IAsyncDisposable
{
    private readonly TcpClient socket = new() { NoDelay = true };
    private Stream stream = Stream.Null;
    private StreamReader reader = StreamReader.Null;

    public static async Task<Conversation> OpenAsync(IPEndPoint server)
    {
        var conversation = new Conversation();
        await conversation.socket.ConnectAsync(server);
        conversation.Use(conversation.socket.GetStream());
        await conversation.ExpectAsync("220");
        await conversation.SayAsync("EHLO client.example", "250");
        return conversation;
    }

    /// <summary>STARTTLS, with a server that shows this very certificate.</summary>
    public async Task StartTlsAsync(X509Certificate2 expected)
    {
        await SayAsync("STARTTLS", "220");
        var tls = new SslStream(stream, leaveInnerStreamOpen: false, (_, shown, _, _) => expected.Equals(shown));
        await tls.AuthenticateAsClientAsync("localhost");
        Use(tls);
        await SayAsync("EHLO client.example", "250");
    }

    /// <summary>Says a line, and answers with the reply, which must begin so.</summary>
    public async Task<string> SayAsync(string line, string expected)
    {
        Console.WriteLine($"C: {line}");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"));
        return await ExpectAsync(expected);
    }

    /// <summary>One transaction; answers with the last reply, which must begin so.</summary>
    public async Task<string> SendAsync(string sender, string recipient, string content, string expected)
    {
        await SayAsync($"MAIL FROM:<{sender}>", "250");
        await SayAsync($"RCPT TO:<{recipient}>", "250");
        await SayAsync("DATA", "354");
        return await SayAsync($"{content}\r\n.", expected);
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        socket.Dispose();
    }

    private async Task<string> ExpectAsync(string expected)
    {
        string line;
        do
        {
            line = await reader.ReadLineAsync() ?? throw new EndOfStreamException($"closed, where {expected} was expected");
            Console.WriteLine($"S: {line}");
        }
        while (line is [_, _, _, '-', ..]);
        return line.StartsWith(expected, StringComparison.Ordinal) ? line : throw new InvalidDataException($"expected {expected}");
    }

    private void Use(Stream secured) => (stream, reader) = (secured, new StreamReader(secured));
}
